"""What shrinking a large model costs: time and memory. Runs in a process of its own."""

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.common.memory import OwnPeak


def resnet50(ratio: float = 0.5) -> dict[str, Any]:
    """Plan to shrink ResNet50, and shrink it, after a small model.

    Returns:
        `plan` and `shrink`, seconds; `memory`, the growth of the process at its peak while it
        shrinks, the new model's among it; `weights` and `left`, bytes of the two models' weights.
    """
    import keras

    from benchmarks.structured.models import resnet
    from kerasopt.structured import shrink, shrink_plan

    shrink(resnet((28, 28, 1)), pruning_ratio=ratio)
    model = keras.applications.ResNet50(weights=None)
    begun = time.perf_counter()
    plan = shrink_plan(model, pruning_ratio=ratio)
    planned = time.perf_counter() - begun
    weights, left = plan.before.weight_bytes, plan.after.weight_bytes
    del plan
    with OwnPeak() as peak:
        begun = time.perf_counter()
        small = shrink(model, pruning_ratio=ratio)
        shrunk = time.perf_counter() - begun
    del small
    return {
        "plan": planned,
        "shrink": shrunk,
        "memory": peak.most - peak.first,
        "weights": weights,
        "left": left,
    }


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
