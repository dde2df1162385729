"""What is read off the values of a search: its best so far, and when it was as good as another."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def best_so_far(values: Sequence[float]) -> Array:
    """Give the least value up to each trial."""
    return np.minimum.accumulate(np.asarray(values, float))


def reached(values: Sequence[float], target: float) -> float:
    """Give the number, from 1, of the first value that is as small as the target; `inf` if none.

    Example:
    >>> reached([3.0, 2.0, 1.0], 2.0), reached([3.0], 2.0)
    (2, inf)
    """
    return next((number for number, one in enumerate(values, 1) if one <= target), math.inf)


def finals(run: dict[str, Any]) -> list[float]:
    """Give the value of each trial of a real run, at its best epoch; `inf` of one pruned."""
    return [
        min(curve) if done else math.inf
        for curve, done in zip(run["curves"], run["done"], strict=True)
    ]


def accuracy(run: dict[str, Any]) -> float:
    """Give the accuracy of the best trial of a real run, at its epoch of least loss."""
    values = finals(run)
    number = int(np.argmin(values))
    return float(run["accuracies"][number][int(np.argmin(run["curves"][number]))])


def by_epochs(run: dict[str, Any], length: int) -> Array:
    """Give the least value of a completed trial after each epoch, over all trials of a run.

    Args:
        run: Of `search_task.real`.
        length: Of what is given; behind the run's end its last value goes on.
    """
    best, found = math.inf, []
    for curve, value in zip(run["curves"], finals(run), strict=True):
        found += [best] * (len(curve) - 1)
        best = min(best, value)
        found.append(best)
    return np.array((found + [best] * length)[:length])


def epochs_until(run: dict[str, Any], target: float) -> float:
    """Give the epochs of all trials until one was completed with the target; `inf` if none."""
    used = 0
    for curve, value in zip(run["curves"], finals(run), strict=True):
        used += len(curve)
        if value <= target:
            return used
    return math.inf


def median(values: Sequence[float]) -> float:
    """Give the median; with half of the values infinite it is `inf`."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def spread(values: Sequence[float]) -> str:
    """Give the median and the quartiles in words."""
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(values, [0.25, 0.75], method="nearest")
    return f"{number(median(values))} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Give a number of trials or epochs in words."""
    return "not reached" if math.isinf(value) else f"{value:g}"
