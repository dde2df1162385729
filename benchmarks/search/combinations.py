"""A grid search that is killed in the midst of a trial and started again."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common.process import ChildError, ask

OURS, KERASTUNER = "`kerasopt.tuning.GridSearch`", "`keras_tuner.GridSearch`"
COMBINATIONS = 6


def search(kind: str, folder: str, kill_at: int) -> int:
    """Search all combinations, or go on with it. Runs in a process of its own."""
    import keras_tuner

    from benchmarks.search.models import Combinations
    from kerasopt.tuning import GridSearch

    made = keras_tuner.GridSearch if kind == KERASTUNER else GridSearch
    tuner = made(Combinations(folder, kill_at), "val_loss", directory=folder, project_name="search")
    tuner.search(verbose=0)
    return len(tuner.oracle.trials)


def resumed(kind: str, kill_at: int = 3) -> dict[str, Any]:
    """Kill a search in its `kill_at`-th trial with SIGKILL, start it again, and tell what came.

    Returns:
        `error`: of the second start, or `None`; `before` and `after`: the combinations that were
        ended before the kill and by the second start; `again`: those ended twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = {"kind": kind, "folder": folder}
        error, killed = None, False
        try:
            ask("benchmarks.search.combinations:search", {**arguments, "kill_at": kill_at})
        except ChildError:
            killed = True
        before = _ended(folder)
        try:
            ask("benchmarks.search.combinations:search", {**arguments, "kill_at": 0})
        except ChildError as raised:
            error = str(raised).strip().splitlines()[-1]
        ended = _ended(folder)
    return {
        "killed": killed,
        "error": error,
        "before": before,
        "after": ended[len(before) :],
        "again": sorted({one for one in ended if ended.count(one) > 1}),
        "missing": COMBINATIONS - len(set(ended)),
    }


def _ended(folder: str) -> list[str]:
    path = Path(folder, "run.txt")
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.removeprefix("ended ") for line in lines if line.startswith("ended ")]
