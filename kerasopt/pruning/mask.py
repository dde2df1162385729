"""The pure heart of pruning: weights and a sparsity in, a mask of 0 and 1 out."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._checks import bad_value, fraction
from kerasopt.pruning.largest import keep_largest


def number_kept(size: int, sparsity: float) -> int:
    """Give how many of `size` weights stay at a sparsity: rounded half to even, at least one.

    Example:
    >>> [number_kept(100, s) for s in (0.0, 0.1, 0.505, 0.9999)], number_kept(0, 0.5)
    ([100, 90, 50, 1], 0)
    """
    return min(size, max(round(size * (1.0 - sparsity)), 1))


def magnitudes(weights: NDArray[Any], name: str = "weights") -> NDArray[Any]:
    """Give the absolute weights, as float32 where NumPy cannot compare them quickly.

    Args:
        weights: Array of any shape.
        name: What the array is called, for the error.

    Raises:
        ValueError: If a weight is NaN.
    """
    native = weights if weights.dtype in (np.float32, np.float64) else weights.astype(np.float32)
    scores: NDArray[Any] = np.abs(native)
    if scores.size and np.isnan(scores.max()):
        raise bad_value(
            name,
            "weights that are numbers",
            f"{int(np.isnan(scores).sum())} NaN in {scores.size} weights",
            "Training has diverged: lower the learning rate, clip gradients, or check the data.",
        )
    return scores


def mask(weights: ArrayLike, sparsity: float) -> NDArray[np.bool_]:
    """Choose which weights of one array stay: those of largest magnitude.

    The number that stays is `max(round(n * (1 - sparsity)), 1)`, exactly: among weights of equal
    magnitude at the border the first ones stay.

    Args:
        weights: Array of any shape.
        sparsity: Float in [0, 1), the share of weights to zero.

    Returns:
        Boolean array of the same shape, `True` where a weight stays.

    Raises:
        TypeError: If `sparsity` is not a number.
        ValueError: If `sparsity` is outside [0, 1), or a weight is NaN.

    Example:
    >>> mask(np.arange(1.0, 11.0), 0.2).astype(int)
    array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    """
    sparsity = fraction("sparsity", sparsity)
    array = np.asarray(weights)
    return keep_largest(magnitudes(array), number_kept(array.size, sparsity))
