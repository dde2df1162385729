"""What shrinking a large model costs: time and memory. Runs in `search_child.py`."""

import gc
import threading
import time
from pathlib import Path
from typing import Any, Self

LOOK = 0.001  # seconds between two looks at the memory


class Peak:
    """The most memory that this process has, in bytes, and what it had at first."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        gc.collect()
        # Linux begins its own peak anew where it may be asked; the looks are for where it may not.
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._field = "VmHWM"
        except OSError:
            self._field = "VmRSS"
        self.first = self.most = _status("VmRSS")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self.most = max(self.most, _status(self._field))

    def _look(self) -> None:
        while not self._end.wait(LOOK):
            self.most = max(self.most, _status("VmRSS"))


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def resnet50(ratio: float = 0.5) -> dict[str, Any]:
    """Plan to shrink ResNet50, and shrink it, after a small model.

    Returns:
        `plan` and `shrink`, seconds; `memory`, the growth of the process at its peak while it
        shrinks, the new model's among it; `weights` and `left`, bytes of the two models' weights.
    """
    import keras
    from shrink_models import resnet

    from kerasopt.structured import shrink, shrink_plan

    shrink(resnet((28, 28, 1)), pruning_ratio=ratio)
    model = keras.applications.ResNet50(weights=None)
    begun = time.perf_counter()
    plan = shrink_plan(model, pruning_ratio=ratio)
    planned = time.perf_counter() - begun
    weights, left = plan.before.weight_bytes, plan.after.weight_bytes
    del plan
    with Peak() as peak:
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
