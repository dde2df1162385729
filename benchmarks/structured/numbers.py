"""What `benchmarks.structured` has recorded, by seed, as numbers to be shown."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.structured.runs import DENSE

Array = NDArray[np.float64]
Found = dict[str, Any]


class Numbers:
    """The runs of one model.

    Args:
        record: All that was recorded.
        kind: The model.
    """

    def __init__(self, record: Found, kind: str):
        self._runs: dict[str, dict[str, Found]] = record["runs"][kind]
        self._times = record.get("latency", {}).get(kind, {}).get("ms", {})
        self.seeds = sorted(self._runs, key=int)

    def has(self, run: str) -> bool:
        """Whether a run was recorded for every seed."""
        return all(run in self._runs[seed] for seed in self.seeds)

    def of(self, run: str, value: Callable[[Found], float]) -> Array:
        """Give a value of each seed's run."""
        return np.array([value(self._runs[seed][run]) for seed in self.seeds], float)

    def get(self, run: str, name: str) -> Array:
        """Give a number of each seed's run."""
        return self.of(run, lambda one: one[name])

    def accuracy(self, run: str, mode: str = "float32") -> Array:
        """Give the test accuracies of the files, in percent."""
        return self.of(run, lambda one: one[mode]["accuracy"])

    def less(self, run: str, other: str = DENSE, mode: str = "float32") -> Array:
        """Give by how many points the accuracies are above those of float32 of another run."""
        return self.accuracy(run, mode) - self.accuracy(other)

    def bytes(self, run: str, mode: str = "float32", what: str = "bytes") -> Array:
        """Give the bytes of the files."""
        return self.of(run, lambda one: one[mode][what])

    def widths(self, run: str) -> str:
        """Give how many channels stay in the tied layers, in the first seed's run."""
        found = self._runs[self.seeds[0]][run].get("widths", {})
        return "-".join(str(one) for one in found.values())

    def ms(self, run: str, mode: str = "float32") -> Array:
        """Give the median latencies."""
        return np.array([np.median(self._rounds(seed, run, mode)) for seed in self.seeds])

    def faster(self, run: str, mode: str = "float32") -> Array:
        """Give how many times as fast as dense float32 the files are, within the rounds."""
        return np.array(
            [
                np.median(self._rounds(seed, DENSE, "float32") / self._rounds(seed, run, mode))
                for seed in self.seeds
            ]
        )

    def _rounds(self, seed: str, run: str, mode: str) -> Array:
        return np.array(self._times[seed][run][mode])


def error(values: Array) -> float:
    """Give the standard error of the mean; 0 of a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def shown(values: Array, form: str = ".2f") -> str:
    """Give mean ± standard error."""
    mean = f"{values.mean() + 0.0:{form}}"
    return f"{mean} ± {error(values):{form.lstrip('+')}}" if len(values) > 1 else mean


def whole(values: Array) -> str:
    """Give the mean as a whole number."""
    return f"{values.mean():,.0f}"
