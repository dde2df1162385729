"""The numbers of kernels: read without a copy, and those that a pruning set to zero."""

import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray


class _Left(NamedTuple):
    """What a pruning left in one kernel."""

    variable: Any
    who: str
    zeros: int


_LEFT: dict[int, _Left] = {}


def numbers(variable: Any) -> NDArray[Any]:
    """Give a variable's value to read, without a copy where it lies in the memory of the CPU."""
    if keras.config.backend() != "tensorflow":
        return np.asarray(keras.ops.convert_to_numpy(variable.value))
    import tensorflow as tf

    tensor = tf.convert_to_tensor(variable.value)
    if "CPU" not in tensor.device or tensor.dtype not in (tf.float16, tf.float32, tf.float64):
        return np.asarray(keras.ops.convert_to_numpy(tensor))
    return np.from_dlpack(tensor)


def count_zeros(variable: Any) -> int:
    """Give the number of zeros of a variable."""
    weights = numbers(variable)
    return int(weights.size - np.count_nonzero(weights))


def note(who: str, variable: Any, zeros: int) -> None:
    """Note that a pruning has ended.

    Args:
        who: What pruned, as `"Pruning"`.
        variable: A kernel, for as long as it lives. Of several prunings the last one counts.
        zeros: How many zeros it has.
    """
    key = id(variable)
    _LEFT[key] = _Left(weakref.ref(variable, lambda _: _LEFT.pop(key, None)), who, zeros)


def filled(variables: Iterable[Any]) -> str:
    """Say that zeros of a pruning were filled since, or `""` if none were.

    Only of the very variables that were pruned in this process: a model that was saved and loaded,
    or copied, does not know.

    Args:
        variables: Of a model.

    Example:
    >>> kernel = keras.Variable([0.0, 0.0, 1.0, 2.0])
    >>> note("Pruning", kernel, 2)
    >>> kernel.assign([3.0, 0.0, 1.0, 2.0])
    <...>
    >>> print(filled([kernel]))
    Pruning left 50.0% zeros in kernels of this model, of which 25.0% remain: a later training ...
    """
    weights = zeros = remain = 0
    names: dict[str, None] = {}
    for variable in variables:
        left = _LEFT.get(id(variable))
        if left is None or left.variable() is not variable:
            continue
        now = count_zeros(variable)
        weights += int(np.prod(variable.shape))
        zeros += left.zeros
        remain += min(now, left.zeros)
        if now < left.zeros:
            names[left.who] = None
    if not names:
        return ""
    return (
        f"{' and '.join(names)} left {zeros / weights:.1%} zeros in kernels of this model, of "
        f"which {remain / weights:.1%} remain: a later training has filled the others. "
        'Prune it again, and train on with `callbacks=[kerasopt.callbacks.Pruning("keep")]`.'
    )
