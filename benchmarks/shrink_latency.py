"""The latency of the files of `shrink.py`, all in turn. Runs in `search_child.py`."""

import os
from pathlib import Path
from typing import Any

MOST_RUNS = 10_000


def latency(files: list[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Time files with one thread, one sample, in several rounds.

    Args:
        files: Their paths.
        rounds: How many.
        seconds: Of each file in a round.

    Returns:
        `ms`: by file, the median of each round; `load`: of the machine before.
    """
    from kerasopt.export.runtime.interpreter import time_any

    load = os.getloadavg()[0]
    contents = {name: Path(name).read_bytes() for name in files}
    found: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(rounds):
        for name, content in contents.items():
            found[name].append(time_any([content], 1, seconds, MOST_RUNS).latencies[0].median_ms)
    return {"ms": found, "load": load}
