"""Runs, recorded once and kept as JSON, and the choice of strengths."""

import ast
import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from benchmarks.common import datasets
from benchmarks.common.datasets import Part, Task
from benchmarks.regularization import tasks
from benchmarks.regularization.tasks import Variant, compiled
from kerasopt.callbacks import EarlyStopping

PATIENCE = 12
MONITOR = "val_accuracy"
TUNING_SEEDS = (100, 101)
Run = dict[str, Any]


def batches(part: Part, size: int, seed: int | None = None) -> tf.data.Dataset:
    """Give a part in batches, shuffled anew each epoch if there is a seed."""
    data = tf.data.Dataset.from_tensor_slices(tuple(part)).cache()
    if seed is not None:
        data = data.shuffle(len(part.x), seed=seed)
    return data.batch(size).prefetch(2)


class Recorder(keras.callbacks.Callback):
    """Note the accuracy at the end of each epoch, on the training part as in inference.

    Attributes:
        curves: `train` and `validation`, a value an epoch.
    """

    def __init__(self, train: tf.data.Dataset):
        super().__init__()
        self.train = train
        self.curves: dict[str, list[float]] = {"train": [], "validation": []}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Evaluate without dropout."""
        found = self.model.evaluate(self.train, verbose=0, return_dict=True)
        self.curves["train"].append(float(found["accuracy"]))
        self.curves["validation"].append(float(logs["val_accuracy"]))


def record(
    task: Task, variant: Variant, strength: float, chosen: dict[str, float], seed: int, data: Path
) -> Run:
    """Train one run, and tell how it went."""
    begun = time.perf_counter()
    tuning = seed in TUNING_SEEDS
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    parts = task.parts(data, seed)
    model, callbacks = variant.put(compiled(task, parts), strength, seed, chosen)
    even = {
        name: batches(part, 1_000)
        for name, part in parts._asdict().items()
        if name != "test" or not tuning  # what chooses strengths never sees the test part
    }
    stopper = EarlyStopping(monitor=MONITOR, patience=PATIENCE)
    recorder = Recorder(even["train"])
    with warnings.catch_warnings():
        # An early stop comes before the end of the schedule, which is meant here.
        warnings.filterwarnings("ignore", message="DropoutSchedule: training ended")
        history = model.fit(
            batches(parts.train, task.batch, seed),
            epochs=task.epochs,
            validation_data=even["validation"],
            callbacks=[*callbacks, stopper, *([] if tuning else [recorder])],
            shuffle=False,  # the data shuffles itself
            verbose=0,
        )
    found: Run = {
        "epochs": len(history.epoch),
        "best_epoch": stopper.best_epoch + 1,
        "stopped": bool(stopper.stopped),
        "curves": recorder.curves,
    }
    for name, part in even.items():
        logs = model.evaluate(part, verbose=0, return_dict=True)
        found[name] = float(logs["accuracy"])
        found[f"{name}_cross_entropy"] = float(logs["cross_entropy"])
    return {**found, "seconds": time.perf_counter() - begun}


@lru_cache(1)
def _code() -> str:
    """Give what makes data, models and runs, without comments."""
    files = (datasets.__file__, tasks.__file__, __file__)
    return " ".join(ast.dump(ast.parse(Path(file).read_text())) for file in files)


def fingerprint(task: Task, variant: Variant, *rest: Any) -> str:
    """Tell runs apart, and older versions of the code."""
    settings = (task.name, task.sizes, task.epochs, task.batch, task.learning_rate, variant.name)
    return hashlib.sha256(f"{settings} {rest} {_code()}".encode()).hexdigest()[:16]


def recorded(
    task: Task,
    variant: Variant,
    strength: float,
    chosen: dict[str, float],
    seed: int,
    data: Path,
    cache: Path,
) -> Run:
    """Give one run, from the cache if it was recorded before."""
    rate = chosen.get("dropout") if variant.name == "dropout + L2" else None
    path = cache / f"{fingerprint(task, variant, strength, rate, seed)}.json"
    if not path.exists():
        run = record(task, variant, strength, chosen, seed, data)
        print(
            f"{task.name}, {variant.name} {strength:g}, seed {seed}: validation "
            f"{run['validation']:.3f}, {run['epochs']} epochs, {run['seconds']:.1f} s",
            file=sys.stderr,
            flush=True,
        )
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(run))
        temporary.replace(path)
    found: Run = json.loads(path.read_text())
    return found


def choose(
    task: Task, wanted: Sequence[Variant], data: Path, cache: Path
) -> tuple[dict[str, float], dict[str, dict[float, list[Run]]]]:
    """Choose the strength of each variant by the validation accuracy of seeds of their own.

    Ties go to the lower cross entropy of the validation part.

    Returns:
        The strengths by variant, and the runs by variant and strength.
    """
    chosen: dict[str, float] = {}
    runs: dict[str, dict[float, list[Run]]] = {}
    for variant in wanted:
        if len(variant.strengths) == 1:
            chosen[variant.name] = variant.strengths[0]
            continue
        runs[variant.name] = tried = {
            strength: [
                recorded(task, variant, strength, chosen, seed, data, cache)
                for seed in TUNING_SEEDS
            ]
            for strength in variant.strengths
        }

        def merit(strength: float, tried: Any = tried) -> tuple[float, float]:
            return (
                round(sum(run["validation"] for run in tried[strength]), 6),
                -sum(run["validation_cross_entropy"] for run in tried[strength]),
            )

        chosen[variant.name] = max(variant.strengths, key=merit)
    return chosen, runs
