"""The pure heart of pruning: weights and a sparsity in, a mask of 0 and 1 out."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._checks import bad_type, bad_value, fraction
from kerasopt.pruning.largest import keep_largest


def number_kept(size: int, sparsity: float) -> int:
    """Give how many of `size` weights stay at a sparsity: rounded half to even, at least one.

    Example:
    >>> [number_kept(100, s) for s in (0.0, 0.1, 0.505, 0.9999)], number_kept(0, 0.5)
    ([100, 90, 50, 1], 0)
    """
    return min(size, max(round(size * (1.0 - sparsity)), 1))


def magnitudes(weights: NDArray[Any], name: str = "weights") -> NDArray[Any]:
    """Give the absolute weights, in a type that NumPy compares quickly.

    Args:
        weights: Array of any shape.
        name: What the array is called, for the error.

    Raises:
        ValueError: If a weight is NaN.
    """
    if weights.dtype in (np.float32, np.float64):
        native = weights
    else:  # half floats, or integers, which float32 cannot tell apart beyond 2 ** 24
        native = weights.astype(np.float64 if weights.dtype.kind in "iu" else np.float32)
    scores: NDArray[Any] = np.abs(native)
    if scores.size and np.isnan(scores.max()):
        count = int(np.isnan(scores).sum())
        raise ValueError(
            f"{name} cannot be pruned: {count} of {scores.size} weights are NaN. If training made "
            "them, it has diverged: lower the learning rate, clip gradients, or check the data."
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
        TypeError: If `sparsity` is not a number, or `weights` are none.
        ValueError: If `sparsity` is outside [0, 1), or a weight is NaN.

    Example:
    >>> mask(np.arange(1.0, 11.0), 0.2).astype(int)
    array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    """
    sparsity = fraction("sparsity", sparsity)
    try:
        array = np.asarray(weights)
    except ValueError as error:
        raise bad_value("weights", "an array, every row of one length", weights) from error
    if array.dtype.kind not in "fiu" and "float" not in array.dtype.name:
        raise bad_type("weights", "an array of real numbers", weights)
    return keep_largest(magnitudes(array), number_kept(array.size, sparsity))
