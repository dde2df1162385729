"""All layers as one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import bad_value
from kerasopt.pruning.largest import kth_largest
from kerasopt.pruning.scopes.scope import Kernel, Scope


class Global(Scope):
    """The units of all kernels compete with each other: unimportant layers lose more.

    The sparsity of all kernels together is exact to one weight (to one unit, for blocks and
    channels); the best unit of each kernel stays, so that none is cut off. During a choice it takes
    one float a unit beside the scores.
    """

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give the counts of units above a common threshold."""
        del share
        free = [_free(kernel) for kernel in kernels]
        total = sum(int(np.prod(kernel.shape)) for kernel in kernels)
        budget = max(round(total * (1.0 - sparsity)), 1)
        stay = [kernel.units - scores.size for kernel, scores in zip(kernels, free, strict=True)]
        if all(isinstance(kernel.sizes, int) and kernel.sizes == 1 for kernel in kernels):
            counts = _counts(free, budget - sum(stay))
        else:
            counts = _counts_of_sizes(kernels, free, budget)
        if sum(counts) + sum(stay) > budget and any(k.candidates is not None for k in kernels):
            highest = 1.0 - sum(stay) / max(total, 1)
            raise bad_value("sparsity", f"at most {highest:.4g} with this pattern", sparsity)
        return [one + count for one, count in zip(stay, counts, strict=True)]


def _free(kernel: Kernel) -> NDArray[Any]:
    """Give the scores of the units that may go; the best of a kernel must not."""
    flat = kernel.scores.ravel()
    if kernel.candidates is not None:
        return flat[kernel.candidates.ravel()]
    if not flat.size:
        return flat
    best = int(flat.argmax())
    return np.concatenate([flat[:best], flat[best + 1 :]])


def _counts(free: list[NDArray[Any]], budget: int) -> list[int]:
    everything = np.concatenate(free) if free else np.zeros(0)
    if budget <= 0:
        return [0] * len(free)
    if budget >= everything.size:
        return [scores.size for scores in free]
    threshold = kth_largest(everything, budget)
    counts = [int(np.count_nonzero(scores > threshold)) for scores in free]
    left = budget - sum(counts)
    for number, scores in enumerate(free):  # of equals the first ones stay
        equal = min(left, int(np.count_nonzero(scores == threshold)))
        counts[number] += equal
        left -= equal
    return counts


def _counts_of_sizes(kernels: Sequence[Kernel], free: list[NDArray[Any]], budget: int) -> list[int]:
    """Take units by score until their weights come closest to the budget."""
    sizes, owners = [], []
    for number, kernel in enumerate(kernels):
        all_sizes = np.broadcast_to(np.asarray(kernel.sizes), kernel.scores.shape).ravel()
        if kernel.candidates is not None:
            mine = all_sizes[kernel.candidates.ravel()]
            budget -= int(all_sizes.sum() - mine.sum())
        elif all_sizes.size:
            best = int(kernel.scores.ravel().argmax())
            mine = np.delete(all_sizes, best)
            budget -= int(all_sizes[best])
        else:
            mine = all_sizes
        sizes.append(mine)
        owners.append(np.full(mine.size, number))
    if not sizes:
        return []
    order = np.argsort(-np.concatenate(free), kind="stable")
    reached = np.cumsum(np.concatenate(sizes)[order])
    taken = int(np.searchsorted(reached, budget, side="right"))
    if taken < reached.size:
        before = budget - (reached[taken - 1] if taken else 0)
        taken += int(reached[taken] - budget < before)
    owner = np.concatenate(owners)[order[:taken]]
    return [int(count) for count in np.bincount(owner, minlength=len(kernels))]
