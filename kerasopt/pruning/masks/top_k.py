"""Keep exactly the k largest of many numbers, quickly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALL = 1 << 12
_BLOCK = 1 << 16
_MARGIN = 4.0


def keep_largest(
    scores: NDArray[Any], kept: int, candidates: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Mark the `kept` largest scores; among equals at the border the first ones are taken.

    Args:
        scores: Array of any shape, without NaN.
        kept: How many to mark, from 0 to `scores.size`.
        candidates: Which ones may stay unmarked, a Boolean array of the shape of `scores`; all
            others are marked, whatever `kept` is. Defaults to `None`: any may.

    Returns:
        Boolean array of the shape of `scores` with exactly `kept` times `True`.

    Example:
    >>> keep_largest(np.array([3.0, 1.0, 2.0, 2.0]), 2)
    array([ True, False,  True, False])
    """
    if kept >= scores.size:
        return np.ones(scores.shape, bool)
    flat = np.ascontiguousarray(scores).ravel()
    if candidates is None:
        return _keep(flat, flat, kept).reshape(scores.shape)
    must = ~candidates.ravel()
    kept -= _count(must)
    if kept > 0:
        must |= _keep(flat, np.compress(candidates.ravel(), flat), kept, candidates.ravel())
    return must.reshape(scores.shape)


def _keep(
    flat: NDArray[Any], rivals: NDArray[Any], kept: int, may: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Mark the `kept` largest of the rivals where they lie in `flat`."""
    if kept <= 0:
        return np.zeros(flat.shape, bool)
    threshold = kth_largest([rivals], kept)
    mask: NDArray[np.bool_] = flat >= threshold
    if may is not None:
        mask &= may
    if _count(mask) > kept:
        mask = flat > threshold
        if may is not None:
            mask &= may
        _mark_first(mask, flat, threshold, kept - _count(mask), may)
    return mask


def kth_largest(parts: Sequence[NDArray[Any]], k: int) -> Any:
    """Give the k-th largest of flat arrays together (k = 1 is the maximum), ties counted singly.

    Brackets the answer between two order statistics of a sample and keeps what lies inside, as in
    Floyd & Rivest (1975), "Expected time bounds for selection". A plain partition takes twenty
    times as long where most values are equal, as the weights of a pruned layer are: here values
    equal to the bracket's lower edge are counted, never carried along.

    Args:
        parts: Arrays of one axis, without NaN, of n values together. They are not copied.
        k: Int from 1 to n.

    Returns:
        A scalar of the arrays' dtype.
    """
    while (size := sum(part.size for part in parts)) > _SMALL:
        low, high = _bracket(parts, k, size)
        inside, above_low, above_high = _between(parts, low, high)
        if above_high >= k:
            inside = [np.compress(part > high, part) for part in parts]
        elif above_low >= k:
            k -= above_high
        else:
            k -= above_low + sum(_count(part == low) for part in parts)
            if k <= 0:
                return low
            inside = [np.compress(part < low, part) for part in parts]
        parts = [np.concatenate(inside)]
    return np.sort(np.concatenate(parts))[size - k]


def _between(
    parts: Sequence[NDArray[Any]], low: Any, high: Any
) -> tuple[list[NDArray[Any]], int, int]:
    """Give the values above `low` up to `high`, and how many are above `low` and above `high`.

    Block by block, each of which stays in the cache: half of the time of whole arrays.
    """
    inside, above_low, above_high = [], 0, 0
    for part in parts:
        for start in range(0, part.size, _BLOCK):
            block = part[start : start + _BLOCK]
            over_low, over_high = block > low, block > high
            above_low += _count(over_low)
            above_high += _count(over_high)
            over_low ^= over_high
            inside.append(np.compress(over_low, block))  # faster than indexing with the mask
    return inside, above_low, above_high


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _bracket(parts: Sequence[NDArray[Any]], k: int, size: int) -> tuple[Any, Any]:
    """Give two of the values that very probably hold the k-th largest between them."""
    # An odd step does not fall into step with the powers of two that layers' shapes are made of.
    step = int(size ** (1 / 3)) | 1
    sample = np.sort(np.concatenate([part[::step] for part in parts]))
    share = 1.0 - k / size
    middle = share * sample.size
    margin = _MARGIN * np.sqrt(sample.size * share * (1.0 - share)) + 1.0
    low = int(np.clip(middle - margin, 0, sample.size - 1))
    high = int(np.clip(middle + margin, 0, sample.size - 1))
    return sample[low], sample[high]


def _mark_first(
    mask: NDArray[np.bool_],
    flat: NDArray[Any],
    value: Any,
    count: int,
    may: NDArray[np.bool_] | None,
) -> None:
    """Mark the first `count` entries that equal `value`, block by block: most need no look."""
    for start in range(0, flat.size, _BLOCK):
        here = slice(start, start + _BLOCK)
        equal = flat[here] == value
        if may is not None:
            equal &= may[here]
        found = _count(equal)
        if found > count:
            equal[np.flatnonzero(equal)[count:]] = False
        mask[here] |= equal
        count -= found
        if count <= 0:
            break
