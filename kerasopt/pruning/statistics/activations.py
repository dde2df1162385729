"""How strong the inputs of each kernel are, over batches."""

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._layers import CONVOLUTIONS, SEPARABLE, TRANSPOSED, Call, Equation, calls_through
from kerasopt.pruning.statistics.gradients import untouched
from kerasopt.selection import Selection, Target


def input_norms(
    model: Any, targets: Selection, batches: Sequence[Any]
) -> list[NDArray[Any] | None]:
    """Give the L2 norm, over all samples and places, of each input that a kernel multiplies.

    Args:
        model: A built model.
        targets: The kernels.
        batches: Tuples that begin with the model's inputs.

    Returns:
        For each target an array that broadcasts to the kernel, or `None` where the inputs of its
        layer are not known.
    """
    squares: dict[int, NDArray[Any]] = {}
    with untouched(model), _watched(targets, squares):
        for batch in batches:
            model(batch[0], training=False)
    return [
        np.sqrt(squares[id(t.variable)]) if id(t.variable) in squares else None for t in targets
    ]


@contextlib.contextmanager
def _watched(targets: Selection, squares: dict[int, NDArray[Any]]) -> Iterator[None]:
    """Note what goes into the layers, as long as the context lasts; `tf.function`s run eagerly."""
    import tensorflow as tf

    by_layer: dict[int, list[Target]] = {}
    for target in targets:
        by_layer.setdefault(id(target.layer), []).append(target)

    def noting(layer: Any, call: Call) -> Call:
        return _noting(call, by_layer[id(layer)], squares)

    eager = tf.config.functions_run_eagerly()
    try:
        tf.config.run_functions_eagerly(True)
        with calls_through((target.layer for target in targets), noting):
            yield
    finally:
        tf.config.run_functions_eagerly(eager)


def _noting(original: Call, targets: list[Target], squares: dict[int, NDArray[Any]]) -> Call:
    before: list[Any] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        leaves = [x for x in keras.tree.flatten((args, kwargs)) if hasattr(x, "shape")]
        if any(map(_is_symbolic, leaves)):  # Keras asks for a shape, or TensorFlow makes a graph.
            return original(*args, **kwargs)
        # TensorFlow's loop over time runs the first step of a cell once more than it uses it.
        given = [np.asarray(leaf) for leaf in leaves]
        again = hasattr(targets[0].layer, "state_size") and _same(given, before)
        before[:] = given
        for target in [] if again else targets:
            found = _squares(target, _in_order(original, args, kwargs))
            if found is not None:
                key = id(target.variable)
                squares[key] = squares.get(key, 0.0) + found
        return original(*args, **kwargs)

    return call


def _is_symbolic(value: Any) -> bool:
    import tensorflow as tf

    return isinstance(value, keras.KerasTensor) or bool(tf.is_symbolic_tensor(value))


def _in_order(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """Give the arguments of a call in the order in which the function names them."""
    try:
        names = list(inspect.signature(function).parameters)[len(args) :]
    except (TypeError, ValueError):
        names = list(kwargs)
    return [*args, *(kwargs[name] for name in names or kwargs if name in kwargs)]


def _same(given: list[Any], before: list[Any]) -> bool:
    return len(given) == len(before) and all(map(np.array_equal, given, before))


def _squares(target: Target, args: Sequence[Any]) -> NDArray[Any] | None:
    """Give the sum of squares of each input of a kernel, in a shape that broadcasts to it."""
    layer, shape = target.layer, tuple(target.variable.shape)
    given = args[0] if args else None
    if "recurrent" in target.variable.name:
        states = args[1] if len(args) > 1 else None
        given = states[0] if isinstance(states, (list, tuple)) else states
    if given is None or isinstance(given, (list, tuple, dict)):
        return None
    values = np.asarray(keras.ops.convert_to_numpy(given))
    if isinstance(layer, keras.layers.Embedding):
        counts: NDArray[Any] = np.bincount(values.astype(int).ravel(), minlength=shape[0])
        return counts[: shape[0], None].astype(float)
    if isinstance(layer, keras.layers.EinsumDense):
        return _einsum(layer.equation, shape, values)
    if getattr(layer, "data_format", None) == "channels_first" and values.ndim > 2:
        values = np.moveaxis(values, 1, -1)
    if "pointwise" in target.variable.name:
        if not isinstance(layer, SEPARABLE):
            return None
        values = _depthwise(layer, values)
    axis = -1 if isinstance(layer, TRANSPOSED) else -2
    groups = layer.groups if isinstance(layer, CONVOLUTIONS) else 1
    if not values.ndim or values.shape[-1] != shape[axis] * groups:
        return None
    sums: NDArray[Any] = np.square(values.reshape(-1, values.shape[-1]).astype(float)).sum(0)
    if groups > 1:  # (inputs of a group, outputs): each output belongs to one group
        return np.repeat(sums.reshape(groups, -1).T, shape[-1] // groups, axis=1)
    return sums if axis == -1 else sums[:, None]


def _depthwise(layer: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Give what the second kernel of a separable convolution gets: it is made in the layer."""
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.depthwise_kernel), np.float32)
    how = {"strides": layer.strides, "padding": layer.padding, "data_format": "channels_last"}
    how["dilation_rate"] = layer.dilation_rate
    made = keras.ops.depthwise_conv(values.astype(np.float32), kernel, **how)
    return np.asarray(keras.ops.convert_to_numpy(made))


def _einsum(equation: str, shape: tuple[int, ...], values: NDArray[Any]) -> NDArray[Any] | None:
    read = Equation.of(equation)
    if read is None or len(read.given) > values.ndim:
        return None
    shared = [one for one in read.kernel if one in read.given and one not in read.result]
    axes = {one: read.axis(one, read.given, values.ndim) for one in shared}
    others = tuple(axis for axis in range(values.ndim) if axis not in axes.values())
    order = sorted(shared, key=axes.__getitem__)
    summed: NDArray[Any] = np.square(values.astype(float)).sum(axis=others)
    summed = np.moveaxis(summed, range(len(order)), [shared.index(letter) for letter in order])
    wide = [shape[axis] if letter in shared else 1 for axis, letter in enumerate(read.kernel)]
    return summed.reshape(wide)
