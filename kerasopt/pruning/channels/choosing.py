"""How many channels each group loses, and which."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


class Choice:
    """Groups of channels with a score each; the lowest go first.

    Args:
        scores: For each group the scores of its channels.
        grains: For each group, how many numbers one channel is.
        units: For each group, of how many channels what stays is to be a multiple.
        first: For each group a Boolean array: channels that go before all others. Defaults to none.

    Example:
    >>> choice = Choice([np.array([3.0, 1.0, 2.0, 4.0])], [1], [1])
    >>> choice.layer(0.5), choice.gone([2])
    (array([2]), [array([False,  True,  True, False])])
    """

    def __init__(
        self,
        scores: Sequence[Array],
        grains: Sequence[int],
        units: Sequence[int],
        first: Sequence[NDArray[np.bool_]] | None = None,
    ):
        before = first or [np.zeros(len(one), bool) for one in scores]
        self._scores = [
            ahead(np.asarray(one, np.float64), mask)
            for one, mask in zip(scores, before, strict=True)
        ]
        self._sizes = np.array([len(one) for one in scores], np.int64)
        self._grains = np.array(grains, np.int64)
        self._units = np.array(units, np.int64)
        self._least = np.minimum(self._units, self._sizes)
        self._orders = [np.argsort(one, kind="stable") for one in self._scores]
        self._ranking = self._ranked()

    @property
    def whole(self) -> int:
        """How many numbers all channels are together."""
        return int(self._sizes @ self._grains)

    @property
    def most(self) -> Counts:
        """How many channels each group may lose at most."""
        return self._sizes - self._least

    def _ranked(self) -> NDArray[np.int64]:
        """Give the group of each channel that may go, the lowest score of all groups first."""
        groups, scores = [], []
        for number, (one, order) in enumerate(zip(self._scores, self._orders, strict=True)):
            may = order[: self.most[number]]
            groups.append(np.full(len(may), number))
            scores.append(one[may])
        if not groups:
            return np.zeros(0, np.int64)
        order = np.argsort(np.concatenate(scores), kind="stable")
        ranking: NDArray[np.int64] = np.concatenate(groups)[order].astype(np.int64)
        return ranking

    def layer(self, ratio: float | Sequence[float]) -> Counts:
        """Let each group lose the same fraction, or each its own."""
        return self._rounded(self._sizes * (1.0 - np.asarray(ratio, float)))

    def everywhere(self, ratio: float) -> Counts:
        """Let all groups together lose a fraction, as nearly as units allow; the lowest go."""
        wanted = ratio * float(self._sizes @ self._grains)
        low, high = 0, len(self._ranking)
        while low < high:  # the fewest with which at least so much goes
            middle = (low + high) // 2
            if self._first(middle) @ self._grains >= wanted - 1e-9:
                high = middle
            else:
                low = middle + 1
        more, fewer = self._first(low), self._first(max(low - 1, 0))
        over, under = more @ self._grains - wanted, wanted - fewer @ self._grains
        return more if over <= under else fewer

    def _first(self, number: int) -> Counts:
        """Give what goes with the lowest so many, in whole units."""
        lost = np.bincount(self._ranking[:number], minlength=len(self._sizes))
        return self._rounded((self._sizes - lost).astype(float))

    def _rounded(self, kept: Array) -> Counts:
        """Round what stays to whole units, halves up; what is no multiple may stay as it is."""
        units = np.floor(kept / self._units + 0.5).astype(np.int64) * self._units
        # Nearer to all of them than to the last multiple below.
        last = self._sizes // self._units * self._units
        all_of = kept > (last + self._sizes) / 2
        kept = np.where(all_of | (units > self._sizes), self._sizes, units)
        stays = np.clip(kept, self._least, self._sizes)
        gone: Counts = self._sizes - stays.astype(np.int64)
        return gone

    def given_back(self, counts: Counts, fits: Callable[[Counts], bool], evenly: bool) -> Counts:
        """Give units back, one at a time, as long as what stays fits.

        When one ratio moves, several groups lose a unit at once, and less stays than might.

        Args:
            counts: What goes.
            fits: Tells whether what would go then is enough; where it is not, less is not either.
            evenly: Whether the group that has lost the largest part comes first, else the one
                whose best channel that is gone has the highest score.
        """
        counts = counts.copy()
        open_ = set(np.flatnonzero(counts).tolist())
        while open_:
            rank = self._part_gone(counts) if evenly else self._best_gone(counts)
            group = max(open_, key=lambda one: (rank[one], -one))
            # The last unit may be a part of one.
            less = counts.copy()
            kept = int(self._sizes[group] - counts[group])
            stays = min(int(self._sizes[group]), kept + int(self._units[group]))
            less[group] = self._sizes[group] - stays
            if less[group] and stays % self._units[group]:
                less[group] = 0
            fitted = fits(less)
            counts = less if fitted else counts
            if not fitted or not counts[group]:
                open_.discard(group)
        return counts

    def _part_gone(self, counts: Counts) -> Array:
        result: Array = counts / self._sizes
        return result

    def _best_gone(self, counts: Counts) -> Array:
        return np.array(
            [
                one[order[count - 1]] if count else -np.inf
                for one, order, count in zip(self._scores, self._orders, counts, strict=True)
            ]
        )

    def gone(self, counts: Sequence[int] | Counts) -> list[NDArray[np.bool_]]:
        """Give which channels go, where each group loses so many."""
        chosen = []
        for order, count in zip(self._orders, counts, strict=True):
            mask = np.zeros(len(order), bool)
            mask[order[: int(count)]] = True
            chosen.append(mask)
        return chosen


def ahead(scores: Array, first: NDArray[np.bool_]) -> Array:
    """Give scores as multiples of the mean of those that stay, and the lowest to the others.

    Example:
    >>> ahead(np.array([1.0, 7.0, 3.0]), np.array([False, True, False]))
    array([ 0.5, -inf,  1.5])
    """
    result = np.full(len(scores), -np.inf)
    result[~first] = normalized(scores[~first])
    return result


def normalized(scores: Array) -> Array:
    """Give scores as multiples of their mean, so that groups can be compared.

    Example:
    >>> normalized(np.array([1.0, 3.0]))
    array([0.5, 1.5])
    """
    mean = float(np.mean(scores)) if len(scores) else 0.0
    if not mean:
        return scores
    result: Array = scores / abs(mean)
    return result


def unit_of(round_to: int, grain: int, is_heads: bool) -> int:
    """Give of how many channels what stays is a multiple, if their numbers are of `round_to`.

    Example:
    >>> unit_of(8, 1, False), unit_of(8, 4, False), unit_of(8, 16, True)
    (8, 2, 1)
    """
    return 1 if is_heads else round_to // math.gcd(round_to, grain)


def reach(
    counts: Callable[[float], Counts], cost: Callable[[Counts], float], target: float
) -> tuple[Counts, bool]:
    """Find the least ratio whose cost is at most a target, by bisection.

    Args:
        counts: What goes at a ratio in [0, 1].
        cost: What is left costs, as a fraction.
        target: The fraction that is wanted.

    Returns:
        What goes, and whether the target is reached; the nearest that can be if not.
    """
    low, high = 0.0, 1.0
    best = counts(high)
    if cost(best) > target:
        return best, False
    for _ in range(30):
        middle = (low + high) / 2
        found = counts(middle)
        if cost(found) <= target:
            high, best = middle, found
        else:
            low = middle
    return best, True
