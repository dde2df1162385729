"""The gradients of some variables, averaged over batches, without a trace in the training."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _keras
from kerasopt._core.checks import bad_value
from kerasopt.pruning.statistics.batches import Shapes


class Gradients:
    """Computes gradients of the loss that a compiled model trains with, penalties included.

    In inference mode: dropout is off and batch normalization uses its moving statistics, so no
    state of the training moves. A batch costs about as much as a step of training.

    Args:
        model: The compiled model.
        variables: Those whose gradients are wanted.

    Raises:
        ValueError: If the model is not compiled with a loss.
    """

    def __init__(self, model: Any, variables: Sequence[Any]):
        if not getattr(model, "compiled", False):
            raise bad_value(
                "model", "a compiled model, whose loss has gradients", model, "Compile it first."
            )
        self._model = model
        self._traced = _function(model, list(variables))

    def require_targets(self, batches: Sequence[Any]) -> None:
        """Check that there are targets; a model that makes its loss itself does without.

        Raises:
            ValueError: If there are none.
        """
        if getattr(self._model, "loss", True) is None:
            return
        for batch in batches:
            if len(batch) < 2 or batch[1] is None:
                raise bad_value(
                    "data",
                    "batches (x, y), as gradients need targets",
                    Shapes([batch]),
                    "Give the targets too: `data=(x, y)`.",
                )

    def over(self, batches: Sequence[Any]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Give the mean gradient and the mean absolute gradient of each variable."""
        self.require_targets(batches)
        means: list[NDArray[Any]] = []
        magnitudes: list[NDArray[Any]] = []
        with untouched(self._model):
            for number, batch in enumerate(batches):
                found = [np.asarray(one, np.float32) for one in self._traced(batch)]
                if not number:
                    means = [np.zeros_like(one) for one in found]
                    magnitudes = [np.zeros_like(one) for one in found]
                for one, mean, magnitude in zip(found, means, magnitudes, strict=True):
                    mean += one / len(batches)
                    magnitude += np.abs(one) / len(batches)
        return means, magnitudes


@contextlib.contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Give a model's statistics, random seeds and metrics their values again at the end."""
    # The loss counts the outputs of a model with several in metrics of its own.
    seed = _keras.global_seed()
    state = [variable for variable in model.variables if not variable.trainable]
    state += [*getattr(model, "metrics_variables", ()), *([seed.state] if seed else ())]
    before = {id(one): (one, np.array(keras.ops.convert_to_numpy(one))) for one in state}
    try:
        yield
    finally:
        for variable, value in before.values():
            if not np.array_equal(keras.ops.convert_to_numpy(variable), value):
                variable.assign(value)
        for variable in getattr(model, "metrics_variables", ()):
            if id(variable) not in before:  # made just now, by the first loss there was
                variable.assign(keras.ops.zeros_like(variable))


def _function(model: Any, variables: list[Any]) -> Callable[[Any], list[Any]]:
    """Give a function from a batch to the gradient of each variable, as NumPy arrays."""
    backend = keras.config.backend()
    if backend == "tensorflow":
        return _by_tensorflow(model, variables)
    if backend == "jax":
        return _by_jax(model, variables)
    if backend == "torch":
        return _by_torch(model, variables)
    raise RuntimeError(
        "Criteria that need gradients need Keras on TensorFlow, JAX or torch, but Keras runs on "
        f"{backend!r}, which has none."
    )


def _loss(model: Any, batch: Any) -> Any:
    x, y, weight = (*batch, None, None)[:3]
    return model.compute_loss(
        x=x, y=y, y_pred=model(x, training=False), sample_weight=weight, training=False
    )


def _by_tensorflow(model: Any, variables: list[Any]) -> Callable[[Any], list[Any]]:
    import tensorflow as tf

    def gradients(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(model, batch)
        values = [variable.value for variable in variables]
        rows = tape.gradient(loss, values, unconnected_gradients="zero")
        return [tf.cast(tf.convert_to_tensor(row), tf.float32) for row in rows]

    traced: Callable[[Any], list[Any]] = tf.function(gradients, reduce_retracing=True)
    return traced


def _by_jax(model: Any, variables: list[Any]) -> Callable[[Any], list[Any]]:
    import jax

    # The first loss makes variables (a mean for each output), which a traced function must not.
    made: list[bool] = []

    def value(values: list[Any], batch: Any) -> Any:
        # All variables, as penalties read only what the scope holds.
        mapping = [(one, one.value) for one in model.variables]
        mapping += zip(variables, values, strict=True)
        with keras.StatelessScope(mapping, collect_losses=True):
            return _loss(model, batch)

    gradient = jax.jit(jax.grad(value))

    def gradients(batch: Any) -> list[Any]:
        batch = keras.tree.map_structure(
            lambda one: None if one is None else keras.ops.convert_to_tensor(one), tuple(batch)
        )
        if not made:
            _loss(model, batch)
            made.append(True)
        rows = gradient([variable.value for variable in variables], batch)
        return [keras.ops.convert_to_numpy(keras.ops.cast(row, "float32")) for row in rows]

    return gradients


def _by_torch(model: Any, variables: list[Any]) -> Callable[[Any], list[Any]]:
    import torch

    def gradients(batch: Any) -> list[Any]:
        values = [variable.value for variable in variables]
        before = [one.requires_grad for one in values]
        try:
            for one in values:  # those of frozen layers too
                one.requires_grad_(True)
            rows = torch.autograd.grad(
                _loss(model, batch), values, allow_unused=True, materialize_grads=True
            )
        finally:
            for one, flag in zip(values, before, strict=True):
                one.requires_grad_(flag)
        return [keras.ops.convert_to_numpy(row.detach().float()) for row in rows]

    return gradients
