"""The runs that are compared by accuracy, recorded once and kept as JSON."""

import ast
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from benchmarks.common import datasets
from benchmarks.common.datasets import FASHION, Task, digits, fashion_mnist
from benchmarks.pruning import models, training
from benchmarks.pruning.models import classifier
from benchmarks.pruning.process import Tfmot
from benchmarks.pruning.training import Job, load, train_ours

SPARSITIES = (0.5, 0.75, 0.8, 0.9, 0.95, 0.98)
TUNED_AT = (0.95, 0.98)
TUNING_SEEDS = (100, 101)
SCOPES = ("global", "erk")
TFMOT, SAME = "tfmot", "layer"
SIZED, SIZED_SEED = 0.8, 0
Run = dict[str, Any]
BUILD = lambda shape: classifier(keras, shape)  # noqa: E731
FAST = Task(
    "Fashion-MNIST, CNN", FASHION, fashion_mnist, BUILD, (10_000, 5_000, 10_000), 6, 128, True, 2e-3
)
SMALL = Task("digits, CNN", "", digits, BUILD, (600, 300, 897), 30, 32, True, 2e-3)


class Wanted(NamedTuple):
    """One run: `kind` is tfmot, or the scope of ours; sparsity 0 trains without pruning."""

    kind: str
    sparsity: float
    seed: int


def task_of(data: Path, quick: bool = False) -> Task:
    """Give Fashion-MNIST if it is there, else the digits."""
    found = FAST if (data / FASHION).exists() else SMALL
    return replace(found, sizes=(1_280, 200, 200), epochs=2) if quick else found


def settings(task: Task) -> dict[str, int]:
    """Give steps, frequency and end of the schedule: at three quarters, so the rest recovers.

    tfmot reaches the final sparsity only if the end is a multiple of the frequency.
    """
    steps = task.epochs * (task.sizes[0] // task.batch)
    frequency = max(1, steps // 40)
    return {"frequency": frequency, "end": frequency * int(0.75 * steps / frequency)}


class Runs:
    """Gives runs, from the cache if they were recorded before.

    Args:
        task: Data and model.
        data: Folder of the data.
        cache: Folder of the runs.
        scratch: Folder for the arrays that both processes read.
        tfmot: The other process.
    """

    def __init__(self, task: Task, data: Path, cache: Path, scratch: Path, tfmot: Tfmot):
        self.task, self._data, self._cache = task, data, cache
        self._scratch, self._tfmot = scratch, tfmot

    def arrays(self, seed: int) -> Path:
        """Store what both processes train on, and give the path."""
        path = self._scratch / f"{seed}.npz"
        if not path.exists():
            parts = self.task.parts(self._data, seed)
            named = {
                f"{axis}_{name}": getattr(part, axis)
                for name, part in parts._asdict().items()
                for axis in "xy"
            }
            keras.utils.set_random_seed(seed)
            weights = self.task.build(parts.train.x.shape[1:]).get_weights()
            rng = np.random.default_rng(seed)
            size, batch = self.task.sizes[0], self.task.batch
            order = [rng.permutation(size)[: size - size % batch] for _ in range(self.task.epochs)]
            named["order"] = np.concatenate(order).reshape(-1, batch)
            np.savez(path, **named, **{f"w{i}": one for i, one in enumerate(weights)})
        return path

    def path(self, wanted: Wanted) -> Path:
        """Give where a run is kept; its name tells settings and older code apart."""
        task = self.task
        what = (task.name, task.sizes, task.epochs, task.batch, task.learning_rate, *wanted)
        name = hashlib.sha256(f"{what} {settings(task)} {_code()}".encode()).hexdigest()[:16]
        return self._cache / f"{name}.json"

    def weights(self, wanted: Wanted) -> Path | None:
        """Give where the trained weights of a run are kept, of the few that are needed later."""
        kept = wanted.sparsity in (0.0, SIZED) and wanted.seed == SIZED_SEED
        return self.path(wanted).with_suffix(".npz") if kept else None

    def _job(self, wanted: Wanted) -> Job:
        # What chooses a scope never sees the test part.
        judge = ["validation"] if wanted.seed in TUNING_SEEDS else ["validation", "test"]
        return {
            **settings(self.task),
            "judge": judge,
            "epochs": self.task.epochs,
            "learning_rate": self.task.learning_rate,
            "scope": wanted.kind,
            "seed": wanted.seed,
            "sparsity": wanted.sparsity,
            "store": str(self.weights(wanted) or ""),
        }

    def record(self, wanted: Sequence[Wanted]) -> None:
        """Train what is missing: tfmot's runs in its process, ours here, at the same time."""
        missing = [one for one in dict.fromkeys(wanted) if not self.path(one).exists()]
        theirs = [one for one in missing if one.kind == TFMOT]
        paths = {one.seed: str(self.arrays(one.seed)) for one in missing}
        failed: list[BaseException] = []

        def tfmot(one: Wanted) -> Run:
            found = self._tfmot.ask("train", path=paths[one.seed], job=self._job(one))
            return dict(found)

        def ask() -> None:
            try:
                for one in theirs:
                    self._keep(one, tfmot)
            except BaseException as error:
                failed.append(error)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        for one in missing:
            if one.kind != TFMOT:
                self._keep(one, lambda one: train_ours(_loaded(paths[one.seed]), self._job(one)))
        asking.join()
        if failed:
            raise failed[0]

    def _keep(self, wanted: Wanted, train: Callable[[Wanted], Run]) -> None:
        run, path = train(wanted), self.path(wanted)
        shown = f"validation {run['validation']:.3f}, {run['seconds']:.1f} s"
        print(f"{wanted.kind} {wanted.sparsity:g}, seed {wanted.seed}: {shown}", file=sys.stderr)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(run))
        temporary.replace(path)

    def get(self, kind: str, sparsity: float, seeds: Sequence[int]) -> list[Run]:
        """Give recorded runs, one a seed."""
        paths = [self.path(Wanted(kind, sparsity, seed)) for seed in seeds]
        return [json.loads(path.read_text()) for path in paths]

    def choose(self) -> tuple[str, dict[str, list[float]]]:
        """Choose the scope of our best by the validation accuracy of seeds of its own.

        Returns:
            The scope, and by scope the mean validation accuracy at each of `TUNED_AT`.
        """
        grid = [(scope, sparsity) for scope in SCOPES for sparsity in TUNED_AT]
        self.record([Wanted(*one, seed) for one in grid for seed in TUNING_SEEDS])
        found: dict[str, list[float]] = {scope: [] for scope in SCOPES}
        for scope, sparsity in grid:
            runs = self.get(scope, sparsity, TUNING_SEEDS)
            found[scope].append(float(np.mean([run["validation"] for run in runs])))
        return max(SCOPES, key=lambda scope: sum(found[scope])), found


@lru_cache(1)
def _loaded(path: str) -> dict[str, Any]:
    return load(path)


@lru_cache(1)
def _code() -> str:
    """Give what makes data, models and runs, without comments."""
    files = (datasets.__file__, models.__file__, training.__file__)
    return " ".join(ast.dump(ast.parse(Path(file).read_text())) for file in files)
