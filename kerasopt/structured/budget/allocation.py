"""How many channels each group loses, and which."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.profile.cost import Costs
from kerasopt.structured.budget.request import METRICS, Request, ratios
from kerasopt.structured.importance.importance import dead, half_dead

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
    counts: Callable[[float], Counts], cost: Callable[[Counts], float], limit: float
) -> tuple[Counts, bool]:
    """Find the least ratio whose cost is at most a limit, by bisection.

    Args:
        counts: What goes at a ratio in [0, 1].
        cost: What is left costs, as a fraction.
        limit: What it may be.

    Returns:
        What goes, and whether the limit is kept; the nearest that can be if not.
    """
    low, high = 0.0, 1.0
    best = counts(high)
    if cost(best) > limit:
        return best, False
    for _ in range(30):
        middle = (low + high) / 2
        found = counts(middle)
        if cost(found) <= limit:
            high, best = middle, found
        else:
            low = middle
    return best, True


SCOPES = ("global", "layer")


def chosen(
    trace: Trace,
    groups: Sequence[Group],
    scores: Sequence[NDArray[Any]],
    request: Request,
    scope: str,
    round_to: int,
    notes: list[str],
    apart: Mapping[str, str],
) -> list[NDArray[np.bool_]]:
    """Give for each group which channels go, and add to `notes` what is to be said of it."""
    grains = [one.grain for one in groups]
    units = [unit_of(round_to, one.grain, one.is_heads) for one in groups]
    choice = Choice(scores, grains, units)
    by_ratio = choice.everywhere if scope == "global" else choice.layer
    if request.by_layer is not None:
        shares = ratios(trace.graph.model, groups, request.by_layer, apart)
        counts = choice.layer(shares)
        _say_what_stays(groups, counts, shares, round_to, notes)
    elif request.budget is not None:
        counts = _to_budget(trace, groups, choice, scope, request.budget, notes)
    else:
        assert request.pruning_ratio is not None
        counts = by_ratio(request.pruning_ratio)
        if scope == "layer":
            _say_what_stays(groups, counts, [request.pruning_ratio] * len(groups), round_to, notes)
        elif (
            counts == choice.most
        ).all() and counts @ grains < request.pruning_ratio * choice.whole:
            share = counts @ grains / choice.whole
            notes.append(
                f"Of the channels {share:.3f} go instead of {request.pruning_ratio:.3g}: at least "
                f"round_to={round_to} of each layer stay, or all where it has no more."
            )
    return choice.gone(counts)


def _to_budget(
    trace: Trace, groups: Sequence[Group], choice: Choice, scope: str,
    budget: Mapping[str, float | int], notes: list[str],
) -> NDArray[np.int64]:  # fmt: skip
    costs = Costs(trace, groups)
    whole = costs.of(peak=False)
    limits = {
        name: float(most) if isinstance(most, int) else most * max(getattr(whole, name), 1)
        for name, most in budget.items()
    }

    def cost(counts: NDArray[np.int64]) -> float:
        found = costs.of(counts, peak=False)
        return float(max(getattr(found, name) / limit for name, limit in limits.items()))

    evenly = scope == "layer"
    counts, reached = reach(choice.layer if evenly else choice.everywhere, cost, 1.0)
    if reached:
        return choice.given_back(counts, lambda less: cost(less) <= 1.0, evenly)
    found = costs.of(counts, peak=False)
    words = {name: word for word, name in METRICS.items()}
    parts = ", ".join(
        f"{getattr(found, name):,} {words[name]} "
        f"({getattr(found, name) / max(getattr(whole, name), 1):.3f} of all)"
        for name in budget
    )
    shown = {words[name]: most for name, most in budget.items()}
    notes.append(
        f"The budget {shown} cannot be kept: with as few channels as may stay, the "
        f"model has {parts}. A smaller `round_to` leaves fewer."
    )
    return counts


def _say_what_stays(
    groups: Sequence[Group],
    counts: NDArray[np.int64],
    shares: Sequence[float],
    round_to: int,
    notes: list[str],
) -> None:
    """Say which layers lose nothing, because they would have no whole `round_to` channels left."""
    whole = [
        one.name
        for one, count, share in zip(groups, counts, shares, strict=True)
        if not count and share > 0
    ]
    if whole:
        notes.append(
            f"These keep all their channels, as what stays is a multiple of round_to={round_to}: "
            f"{', '.join(whole)}."
        )


def masked(groups: Sequence[Group], notes: list[str]) -> list[NDArray[np.bool_]]:
    """Give for each group the channels that nothing takes, of which at least one stays."""
    gone = [dead(one) for one in groups]
    for mask in gone:
        if mask.all():
            mask[0] = False  # at least one stays
    half = half_dead(groups)
    if half:
        notes.append(
            f"Channels of {', '.join(half)} have kernels of zeros, but are still taken by the "
            "layers behind them (a bias, an offset or an activation may make them something): they "
            "stay. `ChannelPruning` masks both sides."
        )
    return gone
