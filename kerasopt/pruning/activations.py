"""How strong the inputs of each kernel are, over batches."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

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
    with _watched(targets, squares):
        for batch in batches:
            model(batch[0], training=False)
    return [
        np.sqrt(squares[id(t.variable)]) if id(t.variable) in squares else None for t in targets
    ]


_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@contextlib.contextmanager
def _watched(targets: Selection, squares: dict[int, NDArray[Any]]) -> Iterator[None]:
    """Note what goes into the layers, as long as the context lasts."""
    by_layer: dict[int, tuple[Any, list[Target]]] = {}
    for target in targets:
        by_layer.setdefault(id(target.layer), (target.layer, []))[1].append(target)
    originals = []
    for layer, mine in by_layer.values():
        original = layer.call
        originals.append((layer, original))
        layer.call = _noting(original, mine, squares)
    try:
        yield
    finally:
        for layer, _ in originals:
            del layer.call


def _noting(original: Any, targets: list[Target], squares: dict[int, NDArray[Any]]) -> Any:
    before: list[Any] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        # TensorFlow's loop over time runs the first step of a cell once more than it uses it.
        given = [np.asarray(leaf) for leaf in keras.tree.flatten(args) if hasattr(leaf, "shape")]
        again = hasattr(targets[0].layer, "state_size") and _same(given, before)
        before[:] = given
        for target in [] if again else targets:
            found = _squares(target, args)
            if found is not None:
                key = id(target.variable)
                squares[key] = squares.get(key, 0.0) + found
        return original(*args, **kwargs)

    return call


def _same(given: list[Any], before: list[Any]) -> bool:
    return len(given) == len(before) and all(map(np.array_equal, given, before))


def _squares(target: Target, args: Sequence[Any]) -> NDArray[Any] | None:
    """Give the sum of squares of each input of a kernel, in a shape that broadcasts to it."""
    layer, shape = target.layer, tuple(target.variable.shape)
    given = args[0]
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
    # What a separable convolution's second kernel gets is made inside the layer.
    axis = -1 if isinstance(layer, _TRANSPOSED) else -2
    if "pointwise" in target.variable.name or values.shape[-1] != shape[axis]:
        return None
    sums: NDArray[Any] = np.square(values.reshape(-1, shape[axis]).astype(float)).sum(0)
    return sums if axis == -1 else sums[:, None]


def _einsum(equation: str, shape: tuple[int, ...], values: NDArray[Any]) -> NDArray[Any] | None:
    given, _, rest = equation.partition(",")
    kernel, _, result = rest.partition("->")
    given = given.replace("...", "")
    shared = [letter for letter in kernel if letter in given and letter not in result]
    squares = np.square(values.astype(float))
    # The last axes of the input are those that are spelt out.
    names = dict(zip(reversed(given), reversed(range(values.ndim)), strict=False))
    if any(letter not in names for letter in shared):
        return None
    others = tuple(axis for axis in range(values.ndim) if axis not in [names[s] for s in shared])
    order = sorted(shared, key=lambda letter: names[letter])
    summed: NDArray[Any] = squares.sum(axis=others)
    summed = np.moveaxis(summed, range(len(order)), [shared.index(letter) for letter in order])
    wide = [shape[axis] if letter in shared else 1 for axis, letter in enumerate(kernel)]
    return summed.reshape(wide)
