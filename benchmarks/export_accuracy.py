"""How much accuracy an export costs: trained models, each mode, on the whole test set.

    python benchmarks/export_accuracy.py [--seeds 3] [--tasks CNN LSTM] [--data ../shared]
        [--quick] [--output benchmarks/results]

Every model is trained from scratch on every seed, exported by `export_all` with 256 training
samples as calibration, and judged beside its files on all test samples. Writes
`export_accuracy.md`.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from export_tasks import goals, tasks
from measured import command, measured_on
from stopping_data import Task

from kerasopt.export import Report, export_all

HERE = Path(__file__).parent
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="*", default=[""], help="parts of their names")
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared")
    parser.add_argument("--quick", action="store_true", help="see that it works, on few samples")
    parser.add_argument("--output", type=Path, default=None)
    given = parser.parse_args()
    if given.output is None:
        given.output = Path(tempfile.mkdtemp()) if given.quick else HERE / "results"
    return given


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
        f"{measured_on()}; {command('export_accuracy.py')}. {seconds / 60:.1f} min.",
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
