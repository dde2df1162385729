"""All layers as one."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import fraction
from kerasopt.pruning.masks.top_k import keep_largest, kth_largest
from kerasopt.pruning.scopes.scope import Kernel, Scope, check_expressible, number_kept

_SMALL = 1 << 16


class Global(Scope):
    """The units of all kernels compete with each other: unimportant layers lose more.

    The sparsity of all kernels together is exact to one weight (to one unit, for blocks and
    channels); the best unit of each kernel stays, so that none is cut off.

    Args:
        floor: Float in [0, 1): the part of what `"layer"` would leave a kernel that stays of it at
            least, so that one with weights of a smaller scale is not emptied. Defaults to `0.0`.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is outside [0, 1).

    Example:
    >>> from kerasopt.pruning import masks
    >>> weights = {"large": np.arange(10.0, 20.0), "small": np.arange(10.0)}
    >>> for scope in (Global(), Global(floor=0.5)):
    ...     kept = masks(weights, 0.6, scope=scope)
    ...     print({name: int(one.sum()) for name, one in kept.items()})
    {'large': 7, 'small': 1}
    {'large': 6, 'small': 2}
    """

    def __init__(self, floor: float = 0.0):
        self.floor = fraction("floor", floor)

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give the counts of units above a common threshold."""
        del share
        check_expressible(kernels, sparsity)
        least = [number_kept(one.units, 1.0 - (1.0 - sparsity) * self.floor) for one in kernels]
        held = list(kernels)
        while True:
            counts = self._above_one_threshold(held, sparsity)
            low = [i for i, count in enumerate(counts) if count < least[i]]
            if not low or not self.floor:
                return counts
            for i in low:  # the others share what it leaves them, and one more may come too low
                kept = keep_largest(held[i].scores, least[i], held[i].candidates)
                held[i] = replace(held[i], candidates=~kept)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal scope."""
        return {"floor": self.floor} if self.floor else {}

    def _above_one_threshold(self, kernels: Sequence[Kernel], sparsity: float) -> list[int]:
        budget = number_kept(sum(math.prod(kernel.shape) for kernel in kernels), sparsity)
        sizes = {end for kernel in kernels if kernel.units for end in _ends(kernel.sizes)}
        if len(sizes) <= 1 and 0 not in sizes:
            free = [_free(kernel, kernel.scores) for kernel in kernels]
            units = _nearest(budget, max(sizes, default=1))
            counts = _counts(free, units - sum(kernel.stay for kernel in kernels))
        else:
            counts = _counts_of_sizes(kernels, budget)
        return [kernel.stay + count for kernel, count in zip(kernels, counts, strict=True)]


def _ends(sizes: NDArray[np.int64] | int) -> tuple[int, int]:
    return (sizes, sizes) if isinstance(sizes, int) else (int(sizes.min()), int(sizes.max()))


def _nearest(weights: int, size: int) -> int:
    """Give how many units of one size come closest to a number of weights; the lower of two."""
    units, rest = divmod(weights, size)
    return units + int(size - rest < rest)


def _free(kernel: Kernel, values: NDArray[Any]) -> list[NDArray[Any]]:
    """Give the values of the units that may go, in pieces; the best of a kernel must not."""
    flat = values.ravel()
    if kernel.candidates is not None:
        return [np.compress(kernel.candidates.ravel(), flat)]
    if not flat.size:
        return []
    best = int(kernel.scores.argmax())
    return [flat[:best], flat[best + 1 :]]


def _counts(free: list[list[NDArray[Any]]], budget: int) -> list[int]:
    """Count for each kernel how many of its free scores are among the `budget` best of all."""
    if budget <= 0:
        return [0] * len(free)
    everything = [piece for pieces in free for piece in pieces]
    if budget >= sum(piece.size for piece in everything):
        return [sum(piece.size for piece in pieces) for pieces in free]
    small = [piece for piece in everything if piece.size < _SMALL]  # quicker as one
    large = [piece for piece in everything if piece.size >= _SMALL]
    threshold = kth_largest([*large, np.concatenate(small)] if small else large, budget)
    counts = [sum(int(np.count_nonzero(p > threshold)) for p in pieces) for pieces in free]
    left = budget - sum(counts)
    for number, pieces in enumerate(free):  # of equals the first ones stay
        if left:
            equal = min(left, sum(int(np.count_nonzero(p == threshold)) for p in pieces))
            counts[number] += equal
            left -= equal
    return counts


def _counts_of_sizes(kernels: Sequence[Kernel], budget: int) -> list[int]:
    """Take units by score until their weights come closest to the budget."""
    scores, sizes, owners = [np.zeros(0)], [np.zeros(0, int)], [np.zeros(0, int)]
    widest = []
    for number, kernel in enumerate(kernels):
        mine = np.broadcast_to(np.asarray(kernel.sizes), kernel.scores.shape)
        free = np.concatenate([np.zeros(0, int), *_free(kernel, mine)])
        budget -= int(mine.sum() - free.sum())
        scores += _free(kernel, kernel.scores)
        sizes.append(free)
        owners.append(np.full(free.size, number))
        widest.append(int(mine.max(initial=0)))
    owner = np.concatenate(owners)
    # Among equals the kernel with the largest units comes first: units that are zero already would
    # come back where a smaller one of them fills the budget better than the last that went.
    order = np.lexsort((-np.array(widest)[owner], -np.concatenate(scores)))
    reached = np.cumsum(np.concatenate(sizes)[order])
    taken = int(np.searchsorted(reached, budget, side="right"))
    if taken < reached.size:
        before = budget - (reached[taken - 1] if taken else 0)
        taken += int(reached[taken] - budget < before)
    counts = np.bincount(owner[order[:taken]], minlength=len(kernels))
    return [int(count) for count in counts]
