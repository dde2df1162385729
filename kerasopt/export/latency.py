"""How long one call takes: warm up, repeat, and keep the median and the 95th percentile."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_WARM_UP_RUNS = 3
_WARM_UP_SHARE = 0.1
_FEWEST_RUNS = 5


@dataclass(frozen=True)
class Latency:
    """Time of one run.

    Attributes:
        median_ms: Median over the runs, in milliseconds.
        p95_ms: 95th percentile over the runs, in milliseconds.
        runs: Number of timed runs.
        threads: Number of threads the runs were allowed.
        batch: Samples in one run.
    """

    median_ms: float
    p95_ms: float
    runs: int
    threads: int = 1
    batch: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as plain JSON data."""
        return asdict(self)


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
    clock = time.perf_counter
    begun = clock()
    for _ in range(_WARM_UP_RUNS):
        call()
    while clock() - begun < _WARM_UP_SHARE * seconds:
        call()
    taken: list[float] = []
    begun = clock()
    while len(taken) < runs and (len(taken) < _FEWEST_RUNS or clock() - begun < seconds):
        before = clock()
        call()
        taken.append(clock() - before)
    median, high = np.percentile(np.asarray(taken) * 1e3, [50, 95])
    return Latency(float(median), float(high), len(taken), threads, batch)
