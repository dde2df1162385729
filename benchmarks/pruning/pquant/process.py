"""The process in which PQuantML runs, as the parent sees it, and the runs that it trains."""

import hashlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pruning.pquant.settings import SPARSITY, named
from benchmarks.pruning.pquant.training import config_of, functional, own, run_of
from benchmarks.pruning.quality import SIZED_SEED, TUNING_SEEDS, Run, Runs, Wanted
from benchmarks.pruning.quality_report import percent
from benchmarks.pruning.training import Job

CHILD = Path(__file__).with_name("child.py")


def ask(python: str, what: str, **arguments: Any) -> Any:
    """Run the other script with a Python, and give its answer."""
    question = json.dumps({"what": what, **arguments})
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    ran = subprocess.run(
        [python, str(CHILD)], input=question, text=True, capture_output=True, env=environment
    )
    if ran.returncode:
        raise RuntimeError(f"{what}: {ran.stderr[-3_000:]}")
    return json.loads(ran.stdout)


class Pquant:
    """Gives runs of PQuantML, from the cache if they were recorded before.

    Args:
        python: The Python that has PQuantML.
        runs: Those of ours, for the data and what is asked for.
        cache: Folder of the runs.
    """

    def __init__(self, python: str, runs: Runs, cache: Path):
        self.python, self._runs, self._cache = python, runs, cache

    def path(self, settings: Job, seed: int) -> Path:
        """Give where a run is kept; its name tells settings and older code apart."""
        like = self._runs.path(Wanted("pquant", SPARSITY, seed)).stem
        code = [inspect.getsource(one) for one in (config_of, functional, run_of, own)]
        name = hashlib.sha256(f"{like} {settings} {code}".encode()).hexdigest()[:16]
        return self._cache / f"{name}.json"

    def get(self, settings: Job, seeds: Sequence[int]) -> list[Run]:
        """Give a run a seed; the model of one of them is saved beside it."""
        task = self._runs.task
        for seed in seeds:
            path = self.path(settings, seed)
            if not path.exists():
                judge = ["validation"] if seed in TUNING_SEEDS else ["validation", "test"]
                save = str(path.with_suffix(".keras")) if seed == SIZED_SEED else ""
                job = {"settings": settings, "seed": seed, "judge": judge, "epochs": task.epochs}
                job |= {"learning_rate": task.learning_rate, "store": "", "save": save}
                job["path"] = str(self._runs.arrays(seed))
                path.write_text(json.dumps(ask(self.python, "train", jobs=[job])[0]))
            run = json.loads(path.read_text())
            print(f"{named(settings)}, seed {seed}: {reached([run])}", file=sys.stderr, flush=True)
        return [json.loads(self.path(settings, seed).read_text()) for seed in seeds]

    def choose(self, method: str, candidates: Sequence[Job]) -> Job:
        """Choose among the candidates of a method by the validation accuracy of seeds apart."""
        those = [one for one in candidates if one["method"] == method]
        return max(those, key=lambda one: percent(self.get(one, TUNING_SEEDS), "validation").mean())


def sparsities(runs: Sequence[Run]) -> list[float]:
    """Give the sparsity of all kernels together, run by run, in percent."""
    return [100 * sum(run["zeros"]) / sum(run["sizes"]) for run in runs]


def reached(runs: Sequence[Run]) -> str:
    """Give the mean sparsity, or why there is none."""
    if "error" in runs[0]:
        return "fails"
    return f"{np.mean(sparsities(runs)):.2f}"
