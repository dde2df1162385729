"""The plot: training and validation over the epochs, a panel a variant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from benchmarks.common.datasets import Task
from benchmarks.regularization.record import Run
from benchmarks.regularization.tasks import VARIANTS

# Of Okabe and Ito, which the colour-blind tell apart; lines differ in style as well.
TRAIN, VALIDATION, BARE = "#0072B2", "#D55E00", "#555555"
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def curve(runs: Sequence[Run], part: str) -> Curve:
    """Give mean and standard deviation an epoch, as long as most seeds train, in percent."""
    longest = max(run["epochs"] for run in runs)
    values = np.full((len(runs), longest), np.nan)
    for row, run in zip(values, runs, strict=True):
        row[: run["epochs"]] = run["curves"][part]
    values = 100 * values[:, (~np.isnan(values)).sum(0) * 2 > len(runs)]
    deviation = np.nanstd(values, 0, ddof=1) if len(runs) > 1 else np.zeros(values.shape[1])
    return np.nanmean(values, 0), deviation


def panel(axis: Any, runs: Sequence[Run], bare: Curve) -> None:
    """Draw one variant of one task."""
    for part, colour, style in (("train", TRAIN, "--"), ("validation", VALIDATION, "-")):
        middle, deviation = curve(runs, part)
        epochs = np.arange(1, len(middle) + 1)
        axis.fill_between(
            epochs, middle - deviation, middle + deviation, color=colour, alpha=0.25, lw=0
        )
        axis.plot(epochs, middle, style, color=colour, lw=1.6)
    axis.plot(np.arange(1, len(bare[0]) + 1), bare[0], ":", color=BARE, lw=1.3)
    axis.axvline(np.mean([run["best_epoch"] for run in runs]), color="black", lw=0.6, alpha=0.6)
    train, validation, test = (
        100 * np.array([run[part] for run in runs]) for part in ("train", "validation", "test")
    )
    axis.text(
        0.97,
        0.04,
        f"test {test.mean():.1f} %\ngap {(train - validation).mean():.1f}",
        transform=axis.transAxes,
        ha="right",
        fontsize=9,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )
    axis.grid(alpha=0.25)


def plot(tasks: Sequence[Task], found: Sequence[dict[str, list[Run]]], path: Path) -> None:
    """Draw a row a task and a column a variant."""
    names = [one.name for one in VARIANTS if any(one.name in runs for runs in found)]
    figure = Figure(figsize=(1.75 * len(names) + 0.6, 2.4 * len(tasks) + 0.9), dpi=110)
    axes = figure.subplots(len(tasks), len(names), sharey="row", sharex="row", squeeze=False)
    for row, task, runs in zip(axes, tasks, found, strict=True):
        bare = curve(runs["none"], "validation")
        lowest = np.percentile(bare[0], 12)
        row[0].set_ylim(max(0.0, 5 * np.floor(lowest / 5) - 10), 101.5)
        row[0].set_ylabel(f"{task.name}\naccuracy, %")
        for axis, name in zip(row, names, strict=True):
            if name in runs:
                panel(axis, runs[name], bare)
                axis.set_title(name, fontsize=10)
                axis.set_xlabel("epoch", fontsize=9, labelpad=1)
                axis.tick_params(labelsize=8)
            else:
                axis.axis("off")
    key = [
        Line2D([], [], color=TRAIN, ls="--", label="training part, without dropout"),
        Line2D([], [], color=VALIDATION, label="validation part"),
        Line2D([], [], color=BARE, ls=":", label="validation part of none"),
        Patch(color="gray", alpha=0.3, label="± standard deviation over seeds"),
        Line2D([], [], color="black", lw=0.6, label="mean epoch of the weights that are kept"),
    ]
    figure.legend(handles=key, loc="lower center", ncols=len(key), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.3 / figure.get_figheight(), 1, 1), w_pad=0.3)
    figure.savefig(path)
