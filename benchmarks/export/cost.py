"""What a conversion costs: time, side by side in one process, and memory, in one each."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.common.memory import TreePeak
from benchmarks.export.process import Process

BUILT, WHOLE = "model and data alone", "to_tflite"


class Times(NamedTuple):
    """Seconds of the conversions of one model in one mode, by way."""

    name: str
    mode: str
    seconds: dict[str, list[float]]

    def median(self, path: str) -> float:
        """Give the median of one way."""
        return float(np.median(self.seconds[path]))

    def ratio(self, path: str, to: str) -> float:
        """Give the median of the ratios within the rounds."""
        return float(np.median(np.array(self.seconds[path]) / np.array(self.seconds[to])))


class Memory(NamedTuple):
    """Bytes at the peak of one conversion in a fresh process, with those under it."""

    name: str
    mode: str
    path: str
    once: int
    resident: int


def times(subjects: Sequence[tuple[str, int]], modes: Sequence[str]) -> list[Times]:
    """Time every subject (name, repeats) in every mode."""
    found = []
    with Process() as process:
        for name, repeats in subjects:
            for mode in modes:
                taken = process.one(task="times", name=name, mode=mode, repeats=repeats)["times"]
                found.append(Times(name, mode, taken))
                print(f"time: {name}, {mode}", file=sys.stderr, flush=True)
    return found


def memories(
    subjects: Sequence[tuple[str, str]], paths: Sequence[str], repeats: int
) -> list[Memory]:
    """Look at the memory of every subject (name, mode) by every way, each in a fresh process.

    Of several such processes the medians are taken.
    """
    found = []
    for name, mode in subjects:
        for path in (BUILT, *paths, WHOLE):
            peaks = [_peak(name, mode, path) for _ in range(repeats)]
            once, resident = (int(value) for value in np.median(peaks, axis=0))
            found.append(Memory(name, mode, path, once, resident))
            print(f"memory: {name}, {mode}, {path}", file=sys.stderr, flush=True)
    return found


def _peak(name: str, mode: str, path: str) -> tuple[int, int]:
    with Process() as process:
        answers = process.ask(600.0, task="memory", name=name, mode=mode, path=path)
        next(answers)
        with TreePeak(process.pid) as peak:
            for _ in answers:
                pass
    return peak.once, peak.resident
