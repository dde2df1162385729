"""How long one call takes, and which of several calls is the faster one: run in turn, in rounds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_WARM_UP_RUNS = 3
_WARM_UP_SHARE = 0.1
_FEWEST_RUNS = 5
# A burst is as long as this many seconds, if one call is shorter: caches are warm then.
_BURST = 0.002
_MOST_BURST = 20

APART = 1.1
"""From this ratio on, for three of four rounds, one is called slower than the other."""

WIDE = 1.5
"""From this ratio on between the quartiles of the ratios, nothing is said of which is slower."""

FEWEST_ROUNDS = 5
"""With fewer rounds nothing is said either."""

_ALIKE_MS = 0.02


@dataclass(frozen=True)
class Latency:
    """Time of one run.

    Attributes:
        median_ms: Median over the runs, in milliseconds.
        p95_ms: 95th percentile over the runs, in milliseconds.
        runs: Number of timed runs.
        threads: Number of threads the runs were allowed.
        batch: Samples in one run.
        low_ms: First quartile over the runs, in milliseconds; `None` if it is not known.
        high_ms: Third quartile over the runs, in milliseconds; `None` if it is not known.
    """

    median_ms: float
    p95_ms: float
    runs: int
    threads: int = 1
    batch: int = 1
    low_ms: float | None = None
    high_ms: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as plain JSON data."""
        return asdict(self)


@dataclass(frozen=True)
class Pace:
    """How the time of one call compares with that of another, measured in turn.

    Attributes:
        ratio: Median over the rounds of its time by the other's.
        low: First quartile.
        high: Third quartile.
        rounds: Number of rounds.
        verdict: `"slower"`, `"faster"` or `"alike"`; `"unclear"` if the rounds differ so much that
            it cannot be told.
    """

    ratio: float
    low: float
    high: float
    rounds: int
    verdict: str

    @property
    def slower(self) -> bool:
        """Whether it is slower, beyond the spread."""
        return self.verdict == "slower"

    def __str__(self) -> str:
        if self.verdict == "unclear":
            return f"unclear ({self.low:.2g} to {self.high:.2g} times)"
        if self.verdict == "alike":
            return "alike"
        return f"{max(self.ratio, 1 / self.ratio):.2g} times {self.verdict}"


@dataclass(frozen=True)
class Timed:
    """What several calls took that ran in turn.

    Attributes:
        latencies: Of each call.
        rounds: For each call, its median time in each round, in milliseconds.
    """

    latencies: tuple[Latency, ...]
    rounds: tuple[tuple[float, ...], ...]

    def pace(self, one: int, other: int) -> Pace:
        """Compare two of the calls, by position."""
        return pace(self.rounds[one], self.rounds[other])

    def quickest(self) -> int:
        """Give the first call, unless a later one is clearly faster than all chosen before it.

        Returns:
            Its position.

        Example:
        >>> rounds = ((2.0,) * 5, (1.9,) * 5, (1.0, 1.0, 1.1, 1.0, 1.0))
        >>> Timed((), rounds).quickest()
        2
        """
        best = 0
        for one in range(1, len(self.rounds)):
            if self.pace(one, best).verdict == "faster":
                best = one
        return best


def pace(mine: Sequence[float], other: Sequence[float]) -> Pace:
    """Tell which of two calls is slower, by what they took in the same rounds.

    What else the machine does in a round slows both, so their ratio in a round says more than both
    medians. It is `"slower"` if three of four rounds have a ratio of more than 1.1, and the medians
    are more than 0.02 ms apart; `"faster"` if so has the other; else `"unclear"` if the third
    quartile of the ratios is more than 1.5 times the first, or there are fewer than five rounds;
    else `"alike"`.

    Args:
        mine: By round, what one took, in milliseconds.
        other: What the other took in the same rounds.

    Example:
    >>> pace([2.0, 2.1, 4.0, 2.0, 2.2], [1.0, 1.0, 2.1, 1.0, 1.0]).verdict
    'slower'
    >>> pace([1.0, 0.4, 4.0, 1.0, 9.0, 0.2], [1.0] * 6).verdict
    'unclear'
    """
    ratios = np.asarray(mine, float) / np.maximum(np.asarray(other, float), 1e-9)
    low, middle, high = (float(one) for one in np.percentile(ratios, [25, 50, 75]))
    apart = abs(float(np.median(mine)) - float(np.median(other))) > _ALIKE_MS
    if len(ratios) < FEWEST_ROUNDS:
        verdict = "unclear"
    elif low > APART and apart:
        verdict = "slower"
    elif high < 1 / APART and apart:
        verdict = "faster"
    elif high > WIDE * low:
        verdict = "unclear"
    else:
        verdict = "alike"
    return Pace(middle, low, high, len(ratios), verdict)


def time_calls(
    call: Callable[[], object],
    seconds: float = 0.5,
    runs: int = 200,
    threads: int = 1,
    batch: int = 1,
) -> Latency:
    """Time `call` after a warm-up.

    Args:
        call: What is timed; its result is dropped.
        seconds: When this many seconds have gone by, no further run begins, unless there were
            fewer than five. Defaults to `0.5`.
        runs: Most runs. Defaults to `200`.
        threads: Passed on to the result.
        batch: Passed on to the result.

    Returns:
        A `Latency`.

    Example:
    >>> time_calls(lambda: sum(range(10)), runs=50).runs
    50
    """
    _warm_up(call, seconds)
    clock = time.perf_counter
    taken: list[float] = []
    begun = clock()
    while len(taken) < runs and (len(taken) < _FEWEST_RUNS or clock() - begun < seconds):
        taken.append(_timed(call))
    return _latency(taken, threads, batch)


def time_in_turn(
    calls: Sequence[Callable[[], object]],
    seconds: float = 0.5,
    runs: int = 200,
    threads: int = 1,
    batch: int = 1,
) -> Timed:
    """Time several calls in rounds: in each, every call runs for a short while.

    One after the other they would be measured at different times, and what else the machine does
    then would be taken for a difference between them. Every other round goes backwards.

    Args:
        calls: What is timed.
        seconds: When this many seconds for each call have gone by, no further round begins, unless
            there were fewer than five. Defaults to `0.5`.
        runs: Most runs of each call. Defaults to `200`.
        threads: Passed on to the results.
        batch: Passed on to the results.

    Returns:
        A `Timed`.

    Example:
    >>> found = time_in_turn([lambda: sum(range(10)), lambda: sum(range(5000))], runs=100)
    >>> [one.runs <= 100 for one in found.latencies], len(found.rounds[0]) >= 5
    ([True, True], True)
    """
    clock = time.perf_counter
    for call in calls:
        _warm_up(call, seconds)
    bursts = [_burst(_timed(call), runs) for call in calls]
    taken: list[list[float]] = [[] for _ in calls]
    rounds: list[list[float]] = [[] for _ in calls]
    begun = clock()
    number = 0
    while number < FEWEST_ROUNDS or (
        clock() - begun < seconds * len(calls)
        and all(len(one) + more <= runs for one, more in zip(taken, bursts, strict=True))
    ):
        order = range(len(calls)) if number % 2 == 0 else reversed(range(len(calls)))
        for position in order:
            burst = [_timed(calls[position]) for _ in range(bursts[position])]
            taken[position] += burst
            rounds[position].append(float(np.median(burst)) * 1e3)
        number += 1
    return Timed(
        tuple(_latency(one, threads, batch) for one in taken),
        tuple(tuple(one) for one in rounds),
    )


def _warm_up(call: Callable[[], object], seconds: float) -> None:
    begun = time.perf_counter()
    for _ in range(_WARM_UP_RUNS):
        call()
    while time.perf_counter() - begun < _WARM_UP_SHARE * seconds:
        call()


def _timed(call: Callable[[], object]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def _burst(seconds: float, runs: int) -> int:
    """Give how many calls of so many seconds are one after the other in a round."""
    wanted = int(_BURST / seconds) if seconds > 0 else _MOST_BURST
    return max(1, min(wanted, _MOST_BURST, runs // FEWEST_ROUNDS))


def _latency(taken: Sequence[float], threads: int, batch: int) -> Latency:
    low, median, high, most = np.percentile(np.asarray(taken) * 1e3, [25, 50, 75, 95])
    return Latency(float(median), float(most), len(taken), threads, batch, float(low), float(high))
