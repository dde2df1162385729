"""A mask that holds inside the train step: as a constraint on the variable."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core import fit_state


class Mask(fit_state.Temporary, keras.constraints.Constraint):
    """Keep the pruned weights of one variable at zero, after every update of the optimizer.

    The optimizer applies a variable's constraint inside the compiled step, right after the update,
    so the mask holds whatever the order of callbacks, and needs no wrapper around the layer. It
    reads a variable, so new values need no new trace.

    Args:
        variable: The `keras.Variable` to be masked. Its present constraint is applied to what is
            left of it (a norm is that of the weights that stay), and its result masked again.
        others: Variables of the same shape that are masked with it: the optimizer's moving average
            of it, which Keras updates before it applies constraints, and what else is wanted.
    """

    def __init__(self, variable: Any, others: Sequence[Any] = ()):
        self.variable = variable
        self.others = list(others)
        self.inner = variable.constraint
        self.mask = keras.Variable(
            "ones", shape=variable.shape, dtype="bool", trainable=False, name="mask"
        )

    def __call__(self, w: Any) -> Any:
        """Give the masked value of `w`, the variable's own constraint applied to it."""
        for other in self.others:
            other.assign(self._masked(other))
        masked = self._masked(w)
        return masked if self.inner is None else self._masked(self.inner(masked))

    def _masked(self, value: Any) -> Any:
        import tensorflow as tf

        value = tf.convert_to_tensor(value)
        # Unlike a product, this gives +0.0 for a pruned negative weight: minus zero is zero to a
        # comparison but not to a file compressor. Unlike `where`, it costs no more than a product.
        return tf.math.multiply_no_nan(value, tf.cast(self.mask.value, value.dtype))

    def hold(self) -> None:
        """Zero the pruned weights, and the others with them, now."""
        for one in (self.variable, *self.others):
            one.assign(self._masked(one))

    def get_config(self) -> dict[str, Any]:
        """Refuse: a mask is held during `fit` only and is never part of a saved model."""
        raise TypeError(
            "A pruning mask cannot be saved as a layer's constraint: it is taken off when `fit` "
            "ends. The pruned weights are zeros in the saved file."
        )


def made(model: Any, targets: list[Any], slots: bool = False) -> list[Mask]:
    """Make a mask of ones for each target's variable, over what is there now.

    Args:
        model: The compiled model whose optimizer updates the variables.
        targets: The `Target`s.
        slots: Whether the optimizer's slots (momenta, velocities) are masked too.

    Returns:
        The masks, in the order of the targets.
    """
    optimizer = getattr(model, "optimizer", None)
    with _keras.scope(model):
        needed = slots or _keras.keeps_averages(optimizer)
        if optimizer is not None and not optimizer.built and needed:
            optimizer.build(model.trainable_variables)
        others: dict[int, list[Any]] = {}
        pairs = [*_keras.averages(optimizer), *(_keras.slots(optimizer) if slots else ())]
        for variable, other in pairs:
            others.setdefault(id(variable), []).append(other)
        return [Mask(t.variable, others.get(id(t.variable), ())) for t in targets]


def put_on(model: Any, masks: Sequence[Mask]) -> None:
    """Put masks in the place of their variables' constraints, which they call."""
    for one in masks:
        # A run that was broken off may have left one.
        fit_state.take_off(one.variable, "constraint", _is_mask)
        one.inner = one.variable.constraint
        one.variable.constraint = one
    _keras.retrace(model)


def take_off(model: Any, variables: Iterable[Any]) -> None:
    """Give variables the user's own constraints back.

    Args:
        model: The model they belong to.
        variables: Masked ones, and others, which are left as they are.
    """
    masked = [one for one in variables if fit_state.take_off(one, "constraint", _is_mask)]
    if masked:
        _keras.retrace(model)


def _is_mask(thing: Any) -> bool:
    return isinstance(thing, Mask)
