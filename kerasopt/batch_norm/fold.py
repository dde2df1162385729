"""Folding batch normalization into the layers before it, and dropping layers that do nothing."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasopt import selection
from kerasopt._core.checks import verbosity, warn
from kerasopt._core.messages import tell
from kerasopt.batch_norm.absorption import Channels, channels_of, fold
from kerasopt.batch_norm.obstacles import Obstacles, does_nothing, source
from kerasopt.graph import Graph, Node, Rewrite
from kerasopt.graph.copies import fresh
from kerasopt.graph.state import assign, carry_flags, carry_variable

_NORM = keras.layers.BatchNormalization


def fold_batch_norm(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
    verbose: int = 0,
) -> Any:
    """Give a copy of a model whose batch normalizations are folded into the layers before them.

    The copy has fewer layers and weights and the same output in inference. A BatchNormalization
    goes into the Dense, EinsumDense, convolution, transposed, depthwise or separable convolution
    directly before it (through the borders of nested models too), which gets a bias if it has none:
    kernel' = kernel * gamma / sqrt(moving_variance + epsilon) and
    bias' = (bias - moving_mean) * gamma / sqrt(moving_variance + epsilon) + beta (Jacob et al.,
    2018). It stays where that would not be exact: that layer has an activation or other consumers,
    one of the two is used in several places, the axis is not that of the channels, or the
    normalization gives an output of the model. Layers that do nothing are dropped: Identity,
    a linear Activation, ActivityRegularization, dropout and noise of 0.

    It is meant for inference, as the last step before the export: trained further, the copy trains
    without normalization. Zeros in kernels stay zeros; regularizers, constraints and what is frozen
    stay as they are set on the layers that stay.

    Args:
        model: A built Functional or Sequential model, or a subclass of these, with models nested
            in it to any depth. It is not changed.
        include: Which layers, as in `kerasopt.selection.select`: normalizations, the layers before
            them, or layers that do nothing. Defaults to `None`: all.
        exclude: Which layers not, in the same forms; it wins over `include`. Defaults to `None`.
        verbose: `1` prints a line of what was folded, what was dropped, and what stays and why.
            Defaults to `0`.

    Returns:
        A new model of the same class, with copies of the other layers and weights. If the old model
        is compiled, so is the new one, with fresh optimizer state. Nested models in which nothing
        changes are the same objects, with the same weights as in the old one.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the model is subclassed or not built, or a pick matches no layer.

    Warns:
        UserWarning: If nothing could be folded, with the reasons.

    Example:
    >>> import keras
    >>> from kerasopt.batch_norm import fold_batch_norm
    >>> model = keras.Sequential([keras.Input((8, 8, 3)),
    ...                           keras.layers.Conv2D(4, 3, use_bias=False, name="conv"),
    ...                           keras.layers.BatchNormalization(name="norm"),
    ...                           keras.layers.ReLU(name="relu")])
    >>> folded = fold_batch_norm(model, verbose=1)
    fold_batch_norm: 1 folded (norm into conv)
    >>> [layer.name for layer in folded.layers], model.count_params(), folded.count_params()
    (['conv', 'relu'], 124, 112)
    """
    verbosity(verbose)
    graph = Graph.of(model)
    choice = _choice(model, include, exclude)
    obstacles = Obstacles(graph)
    left: dict[str, str] = {}
    dropped = _drop(graph, obstacles, choice, left)
    folded = _fold(graph, obstacles, choice, left)
    left.update(_inside(graph))
    if not folded and (left or not dropped):
        why = selection.reasons(left) if left else "it has no BatchNormalization"
        warn(f"fold_batch_norm: nothing could be folded in the model {model.name!r}: {why}.")
    new = graph.build()  # what cannot be copied is said before anything is printed
    if verbose:
        parts = [f"{len(folded)} folded" + (f" ({', '.join(folded)})" if folded else "")]
        parts += [f"{len(dropped)} dropped ({', '.join(dropped)})"] if dropped else []
        parts += [f"left: {selection.reasons(left)}"] if left else []
        rewrite = Rewrite.of(new)
        for what, models in (("copied", rewrite.copied), ("kept as they are", rewrite.kept)):
            parts += [f"nested models {what}: {', '.join(models)}"] if models else []
        tell(f"fold_batch_norm: {'; '.join(parts)}")
    return new


def _choice(model: Any, include: Any, exclude: Any) -> Callable[..., str]:
    """Give a function that says why none of some layers that belong together is chosen."""
    unwanted = selection.matching(model, "exclude", exclude)
    wanted = None if include is None else selection.matching(model, "include", include)

    def why_not(*layers: Any) -> str:
        ids = set(map(id, layers))
        if ids & unwanted:
            return "excluded"
        return "" if wanted is None or ids & wanted else "not included"

    return why_not


def _drop(
    graph: Graph, obstacles: Obstacles, choice: Callable[..., str], left: dict[str, str]
) -> list[str]:
    dropped = []
    for node in graph.nodes:
        if does_nothing(node.layer):
            why = choice(node.layer) or obstacles.to_removal(node)
            if why:
                left[node.path] = why
            else:
                graph.remove(node)
                dropped.append(node.path)
    return dropped


class _Absorbing:
    """What becomes of a layer that takes over a normalization, or several in a row."""

    def __init__(self, node: Node):
        self.node = node
        self.config: dict[str, Any] = {}
        self._name = "kernel"
        self._kernel: Any = None
        self._bias: Any = node.layer.bias

    def channels_along(self, axis: int, shape: tuple[int | None, ...]) -> Channels | None:
        """Tell where it holds the channels; a normalization before may have widened its bias."""
        return channels_of(self.node.layer, axis, shape, self.config.get("bias_axes"))

    def take(self, norm: Any, channels: Channels) -> bool:
        """Take a normalization over, unless the weights would not be finite."""
        kernel = getattr(self.node.layer, channels.kernel)
        with np.errstate(all="ignore"):
            folded = fold(
                _values(kernel if self._kernel is None else self._kernel),
                _values(self._bias),
                _values(norm.moving_mean),
                _values(norm.moving_variance),
                _values(norm.gamma),
                _values(norm.beta),
                norm.epsilon,
                channels,
            )
        stored = [keras.ops.cast(one, kernel.dtype) for one in folded]
        if not all(np.isfinite(_values(one)).all() for one in stored):
            return False
        self._name, (self._kernel, self._bias) = channels.kernel, stored
        self.config.update(channels.config)
        return True

    def change(self, config: dict[str, Any]) -> None:
        """Give the layer's config the bias it has now."""
        config.update(self.config)

    def transfer(self, old: Any, new: Any) -> None:
        """Give the new layer all that the old one has, and the folded weights."""
        for mine, its in zip(old.weights, new.weights, strict=False):
            if mine.shape == its.shape:
                carry_variable(mine, its)
        assign(getattr(new, self._name), self._kernel)
        assign(new.bias, self._bias)
        carry_flags(old, new)


def _fold(
    graph: Graph, obstacles: Obstacles, choice: Callable[..., str], left: dict[str, str]
) -> list[str]:
    folded = []
    absorbing: dict[int, _Absorbing] = {}
    for node in graph.nodes:
        norm = node.layer
        if not isinstance(norm, _NORM):
            continue
        before = source(node.data[0])
        together = (norm,) if before is None else (norm, before.layer)
        why = (
            choice(*together) or obstacles.to_folding(node) or obstacles.to_absorbing(before, node)
        )
        if not why and before is not None:
            taker = absorbing.setdefault(id(before.layer), _Absorbing(before))
            channels = taker.channels_along(norm.axis, node.outputs[0].shape)
            if channels is None:
                why = f"its axis {norm.axis} is not that of the channels of {before.path!r}"
            elif not taker.take(norm, channels):
                why = f"{before.path!r} would get weights that are not finite"
            else:
                graph.remove(node)
                folded.append(f"{node.path} into {before.path}")
        if why:
            left[node.path] = why
    for taker in absorbing.values():
        if taker.config:
            layer = fresh(taker.node.layer, change=taker.change)
            graph.replace(taker.node, layer, transfer=taker.transfer)
    return folded


def _inside(graph: Graph) -> dict[str, str]:
    """Name the normalizations inside layers that are no models with a graph of their own."""
    return {
        f"{node.path}/{path}": f"is inside a {type(node.layer).__name__}"
        for node in graph.nodes
        if node.inner is None and isinstance(node.layer, keras.layers.Layer)
        for path, layer in selection.walk(node.layer)
        if isinstance(layer, _NORM)
    }


def _values(value: Any) -> Any:
    return None if value is None else keras.ops.convert_to_numpy(value).astype(np.float64)
