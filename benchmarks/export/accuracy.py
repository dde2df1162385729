"""How much accuracy an export costs: trained models, each mode, on the whole test set.

    python -m benchmarks.export.accuracy [--seeds 3] [--tasks CNN LSTM] [--data ../shared]
        [--quick] [--output benchmarks/results]

Every model is trained from scratch on every seed, exported by `export_all` with 256 training
samples as calibration, and judged beside its files on all test samples. Writes
`export_accuracy.md`.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
from keras import layers

from benchmarks.common.datasets import (
    FASHION,
    Array,
    Task,
    digit_rows,
    digits,
    fashion_mnist,
    spoken_digits,
)
from benchmarks.common.environment import Options, command, measured_on
from benchmarks.regularization.tasks import SPOKEN, cnn, conv1d, held_out
from kerasopt.export import Report, export_all

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
CALIBRATION = 256


@dataclass(frozen=True)
class Run:
    """What came of one seed.

    Attributes:
        reports: By mode, of the files that were made.
        refused: By mode, why there is none.
        seconds: Training and export together.
    """

    reports: dict[str, Report]
    refused: dict[str, str]
    seconds: float


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="*", default=[""], help="parts of their names")
    return parser.parse_args()


def run(task: Task, data: Path, seed: int) -> Run:
    """Train and export."""
    begun = time.perf_counter()
    keras.utils.set_random_seed(seed)
    parts = task.parts(data, seed)
    model = task.compiled(parts)
    model.fit(parts.train.x, parts.train.y, task.batch, task.epochs, verbose=0)
    found = export_all(
        model,
        MODES,
        calibration=parts.train.x[:CALIBRATION],
        validation_data=(parts.test.x, parts.test.y.astype(int)),
    )
    reports = {mode: file.report for mode, file in found.files.items()}
    return Run(reports, dict(found.refused), time.perf_counter() - begun)


def accuracy(report: Report) -> tuple[float, float]:
    """Give the model's accuracy and the file's, in percent."""
    (both,) = report.accuracy.values()
    return 100 * both["keras"], 100 * both["file"]


def off(reports: list[Report]) -> np.ndarray:
    """Give the file's accuracy less the model's, in points, by seed."""
    return np.array([file - model for model, file in map(accuracy, reports)])


def section(task: Task, runs: list[Run]) -> list[str]:
    """Give the table of a task."""
    models = np.array([accuracy(next(iter(one.reports.values())))[0] for one in runs])
    train, _, test = task.sizes
    lines = [
        f"## {task.name}",
        "",
        f"{train:,} training samples, {test:,} test samples, {task.epochs} epochs. The Keras model "
        f"has {models.mean():.2f} ± {models.std(ddof=len(runs) > 1):.2f} % on the test part.",
        "",
        "| mode | points off, each seed | most, either way | goal | same arg-max, least | "
        "dB, least | bytes | latency, ms |",
        "|---|---|--:|---|--:|--:|--:|--:|",
    ]
    for mode in MODES:
        reports = [one.reports[mode] for one in runs if mode in one.reports]
        if not reports:
            continue
        points = off(reports)
        alike = min(a.argmax or 0.0 for one in reports for a in one.agreement.values())
        goal = goals(task).get(mode)
        # The accuracies are float32, so that a whole sample is a few millionths off.
        met = "" if goal is None else f"{goal:g}: {'met' if most(points) <= goal else 'MISSED'}"
        lines.append(
            f"| {mode} | {', '.join(f'{one + 0.0:+.2f}' for one in points)} | {most(points):.2f} | "
            f"{met} | {alike:.1%} | {min(one.sqnr_db for one in reports):.1f} | "
            f"{reports[0].cost.file_bytes:,} | "
            f"{np.median([one.cost.latency.median_ms for one in reports]):.3g} |"
        )
    refused = {mode: why for one in runs for mode, why in one.refused.items()}
    said = [f"- {mode} was refused: {why}" for mode, why in refused.items()]
    return [*lines, "", *said, *[""] * bool(said)]


def most(points: np.ndarray) -> float:
    """Give the largest difference either way, free of the rounding of float32."""
    return round(float(np.abs(points).max()), 3)


def conclusions(results: dict[Task, list[Run]]) -> list[str]:
    """Say in a line a task what the figures say."""
    lines = []
    for task, runs in results.items():
        words = []
        for mode, goal in goals(task).items():
            reports = [one.reports[mode] for one in runs if mode in one.reports]
            made = f"{most(off(reports)):.2f} points off at most" if reports else "no file"
            met = len(reports) == len(runs) and most(off(reports)) <= goal
            words.append(f"{mode} {made} (goal {goal:g}: {'met' if met else 'MISSED'})")
        lines.append(f"- {task.name}: {'; '.join(words)}.")
    return lines


VOWELS = "data/japanese_vowels.npz"
POINTS = {"float16": 0.1, "int8": 0.5}
"""Percentage points of test accuracy that a file may be off its Keras model."""
LSTM_POINTS = {**POINTS, "int8": 1.0}


@lru_cache(1)
def vowels(path: Path) -> tuple[Array, Array, int]:
    """Read the Japanese vowels: 25 steps of 12 coefficients, nine speakers, a test set of its own.

    Speakers are `"1"` to `"9"` in the file.
    """
    with np.load(path) as stored:
        x = np.concatenate([stored["x_train"], stored["x_test"]]).astype("float32")
        y = np.concatenate([stored["y_train"], stored["y_test"]]).astype("float32") - 1
        return x, y, len(stored["y_test"])


def lstm(shape: tuple[int, ...]) -> keras.Model:
    """Give an LSTM of 64 units, unrolled as int8 wants it, and 10 classes."""
    return keras.Sequential(
        [keras.Input(shape), layers.LSTM(64, unroll=True), layers.Dropout(0.2), layers.Dense(10)]
    )


SHARED = [
    Task("Fashion-MNIST, CNN", FASHION, fashion_mnist, cnn, (60_000, 0, 10_000), 5, batch=64),
    Task(
        "spoken digits, Conv1D",
        SPOKEN,
        held_out(spoken_digits, 1_500),
        conv1d,
        (1_500, 0, 1_500),
        epochs=30,
    ),
    Task("Japanese vowels, LSTM", VOWELS, vowels, lstm, (270, 0, 370), 80, learning_rate=3e-3),
]
BUNDLED = [
    Task("digits, CNN", "", held_out(digits, 897), cnn, (900, 0, 897), epochs=20),
    Task("digit rows, Conv1D", "", held_out(digit_rows, 897), conv1d, (900, 0, 897), epochs=30),
    Task("digit rows, LSTM", "", held_out(digit_rows, 897), lstm, (900, 0, 897), epochs=40),
]


def tasks(data: Path, quick: bool = False) -> list[Task]:
    """Give the tasks: of each kind the first one whose data is there.

    Args:
        data: Folder with the files, as `../shared`.
        quick: Whether only to see that it works: few samples, short runs.
    """
    found = [
        one if (data / one.file).exists() else other
        for one, other in zip(SHARED, BUNDLED, strict=True)
    ]
    if not quick:
        return found
    return [replace(task, sizes=(200, 0, 200), epochs=6) for task in found]


def goals(task: Task) -> dict[str, float]:
    """Give by mode the points that its files may be off."""
    return LSTM_POINTS if task.build is lstm else POINTS


def main() -> None:
    """Train, export, write."""
    given = arguments()
    results: dict[Task, list[Run]] = {}
    for task in tasks(given.data, given.quick):
        if any(part.lower() in task.name.lower() for part in given.tasks):
            results[task] = [run(task, given.data, seed) for seed in range(given.seeds)]
            print("\n".join(section(task, results[task])), flush=True)
    seconds = sum(one.seconds for runs in results.values() for one in runs)
    lines = [
        "# What an export costs in accuracy",
        "",
        f"{measured_on()}; {command()}. {seconds / 60:.1f} min.",
        "",
        f"{given.seeds} seeds, which draw the order of the samples and the initial weights. Files "
        f"are calibrated on {CALIBRATION} training samples; model and files are judged on the "
        "whole test part.",
        "",
        "- *Points off*: the file's test accuracy less the model's, in percentage points.",
        "- *Same arg-max*: samples of which the file says the same class as the model, "
        f"and *dB*: its signal-to-noise ratio, on at most {CALIBRATION} test samples; the worst "
        "seed.",
        "- *Latency*: of one sample with one thread, median of the seeds.",
        "",
        "## What the figures say",
        "",
        *conclusions(results),
        "",
    ]
    for task, runs in results.items():
        lines += section(task, runs)
    given.output.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines).rstrip() + "\n"
    (given.output / "export_accuracy.md").write_text(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
