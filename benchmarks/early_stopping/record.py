"""Learning curves of full runs, recorded once and kept as JSON."""

import ast
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import keras

from benchmarks.common import datasets
from benchmarks.common.datasets import Part, Task
from kerasopt.stopping.probe import Probe
from kerasopt.stopping.rules.gradient_rules import disparity, evidence

PROBE = 100  # training samples at which gradients are computed
Curves = dict[str, list[float]]


class Recorder(keras.callbacks.Callback):
    """Note at the end of each epoch what any rule may ask for, and the test error.

    Attributes:
        curves: `loss`, `error`, `val_loss`, `val_error`, `test_loss`, `test_error`,
            `gradient_evidence` and `gradient_disparity`, a value an epoch.
    """

    def __init__(self, task: Task, test: Part, probe: Probe):
        super().__init__()
        self.task, self.test, self.probe = task, test, probe
        self.curves: Curves = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Take the metrics of the epoch, evaluate on the test part, look at the gradients."""
        test = self.model.evaluate(*self.test, batch_size=500, verbose=0, return_dict=True)
        found = self.probe.look(self.model, {"sample_gradients", "batch_gradients"})
        values = {
            "loss": logs["loss"],
            "error": self.task.error(logs),
            "val_loss": logs["val_loss"],
            "val_error": self.task.error(logs, "val_"),
            "test_loss": test["loss"],
            "test_error": self.task.error(test),
            "gradient_evidence": evidence(found["sample_gradients"]),
            "gradient_disparity": disparity(found["batch_gradients"]),
        }
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))


def record(task: Task, seed: int, data: Path) -> Curves:
    """Train the full run of a seed and give its curves, and how long it took."""
    begun = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    parts = task.parts(data, seed)
    model = task.compiled(parts)
    probe = Probe((parts.train.x[:PROBE], parts.train.y[:PROBE]))
    recorder = Recorder(task, parts.test, probe)
    model.fit(
        *parts.train,
        batch_size=task.batch,
        epochs=task.epochs,
        validation_data=parts.validation,
        validation_batch_size=500,
        callbacks=[recorder],
        verbose=0,
    )
    return {**recorder.curves, "seconds": [time.perf_counter() - begun]}


def fingerprint(task: Task) -> str:
    """Tell tasks apart, and older versions of the code that makes their data and models."""
    code = ast.dump(ast.parse(Path(datasets.__file__).read_text()))  # without comments
    settings = (task.name, task.sizes, task.epochs, task.batch, task.learning_rate, PROBE)
    return hashlib.sha256(f"{settings} {code}".encode()).hexdigest()[:12]


def recorded(task: Task, seeds: int, data: Path, cache: Path) -> list[Curves]:
    """Give the curves of all seeds: those that were recorded before from the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in range(seeds):
        path = cache / f"{fingerprint(task)}-{seed}.json"
        if not path.exists():
            print(f"recording {task.name}, seed {seed}", file=sys.stderr, flush=True)
            temporary = path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(record(task, seed, data)))
            temporary.replace(path)
        runs.append(json.loads(path.read_text()))
    return runs
