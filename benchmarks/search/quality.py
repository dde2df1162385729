"""The text of `benchmarks.search` on what searches find: functions and real trainings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.common.tables import met, table
from benchmarks.search.curves import (
    accuracy,
    best_so_far,
    by_epochs,
    epochs_until,
    finals,
    median,
    number,
    reached,
    spread,
)
from benchmarks.search.functions import FUNCTIONS
from benchmarks.search.parts import ASHA, RANDOM, TPE
from benchmarks.search.task import BATCH, DIGITS, TRAIN, VALIDATION

GOAL_TRIALS = 30
AT = (10, 20, 30, 60)
Found = dict[str, Any]


def surrogates(found: Found) -> list[str]:
    """Give the section on the functions."""
    trials = found["trials"]
    at = [one for one in AT if one <= trials]
    lines = [
        "## Best value after n trials: functions",
        "",
        *(f"- {one.name}: {one.what}." for one in FUNCTIONS.values()),
        "",
        "The best value so far, median over the seeds (quartiles). *Reaches random*: the trial in "
        f"which a search is as good as the best of {trials} trials of our random search with the "
        "same seed; medians and quartiles over the seeds, one that never is counts as later than "
        "all. The first 10 trials of TPE are random, and with the same seed those of the random "
        "search: where those hold its best, both reach it together.",
        "",
    ]
    for name, kinds in found["curves"].items():
        rows, goal = [], ""
        for kind, runs in kinds.items():
            best = np.array([best_so_far(run["values"]) for run in runs.values()])
            hits = _hits(runs, kinds[RANDOM])
            if kind == TPE:
                goal = met(median(hits) <= GOAL_TRIALS)
            seconds = float(np.median([run["seconds"] for run in runs.values()]))
            rows.append(
                [kind, str(len(runs)), *(_quartiles(best[:, n - 1], 3) for n in at), spread(hits),
                 f"{sum(np.isfinite(hits))}/{len(hits)}", f"{seconds:.1f}"]
            )  # fmt: skip
        heads = [name, "seeds", *(f"after {n}" for n in at), "reaches random", "ever",
                 f"s for {trials}"]  # fmt: skip
        lines += table(heads, rows)
        lines += [f"TPE at most {GOAL_TRIALS} trials, median: {goal}.", ""]
    return [*lines, "![Best value over the trials](search.png)", ""]


def _hits(runs: Found, others: Found) -> list[float]:
    return [
        reached(run["values"], min(others[seed]["values"]))
        for seed, run in runs.items()
        if seed in others
    ]


def _quartiles(values: Any, digits: int) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def task(found: Found) -> list[str]:
    """Give the section on the real trainings."""
    trials, epochs, runs = found["trials"], found["epochs"], found["runs"]
    whole = trials * epochs
    at = [one for one in AT if one <= trials]
    targets = [min(finals(run)) for run in runs[RANDOM]]
    images = f"{TRAIN} images (every other pixel) for training and {VALIDATION} for"
    if found["data"] == DIGITS:
        images = "900 images of 8 x 8 pixels for training and 897 for"
    lines = [
        f"## A real task: HyperCNN on {found['data']}",
        "",
        f"`HyperCNN(max_blocks=2, max_filters=16, max_units=64)`, seven or eight hyperparameters, "
        f"{epochs} epochs of batches of {BATCH}, {images} validation, {len(targets)} seeds, two "
        "processes of one thread. The objective is the validation loss at the best epoch, which "
        "has no ties and less noise than the accuracy; that is of the trial of least loss. "
        "The same trial of the same seed draws the same numbers in all searches.",
        "",
    ]
    rows = []
    for kind in (RANDOM, TPE):
        best = np.array([best_so_far(finals(run)) for run in runs[kind]])
        hits = [reached(finals(run), goal) for run, goal in zip(runs[kind], targets, strict=True)]
        rows.append(
            [kind, *(_quartiles(best[:, n - 1], 3) for n in at), f"{_accuracy(runs[kind]):.3f}",
             spread(hits), f"{sum(np.isfinite(hits))}/{len(hits)}", f"{_seconds(runs[kind]):.0f}"]
        )  # fmt: skip
        if kind == TPE:
            goal = met(median(hits) <= GOAL_TRIALS)
    heads = ["search", *(f"after {n}" for n in at), "accuracy", "reaches random", "ever",
             f"s for {trials}"]  # fmt: skip
    lines += table(heads, rows)
    lines += [f"TPE at most {GOAL_TRIALS} trials, median: {goal}.", ""]
    return [*lines, *asha(runs, targets, whole)]


def asha(runs: Found, targets: Sequence[float], whole: int) -> list[str]:
    """Give the part on ASHA: epochs until it is as good as the whole random search."""
    third = whole / 3
    lines = [
        "ASHA: epochs of all trials together, pruned ones too, until a trial was completed that "
        f"is as good as the best of random search's {whole} epochs with the same seed. A search "
        f"that has not got there after {whole / 2:g} epochs is ended and counts as later than all. "
        "Medians (quartiles) over the seeds. One that has got there is ended, too; in the plot its "
        "last value goes on.",
        "",
    ]
    rows = []
    for kind in (RANDOM, TPE, *ASHA):
        used = [epochs_until(run, goal) for run, goal in zip(runs[kind], targets, strict=True)]
        after = [by_epochs(run, whole)[int(third) - 1] for run in runs[kind]]
        rows.append(
            [kind, spread(used), f"{100 * median(used) / whole:.0f} %"
             if np.isfinite(median(used)) else "-", f"{sum(np.isfinite(used))}/{len(used)}",
             number(round(median(after), 3)), f"{_pruned(runs[kind]):.0f} %",
             met(median(used) <= third) if kind in ASHA else ""]
        )  # fmt: skip
    heads = ["search", "epochs", "of random's", "ever", f"best after {third:g} epochs at most",
             "pruned", f"goal: at most {third:g}"]  # fmt: skip
    return [*lines, *table(heads, rows)]


def _accuracy(runs: Sequence[Found]) -> float:
    return float(np.median([accuracy(run) for run in runs]))


def _seconds(runs: Sequence[Found]) -> float:
    return float(np.median([run["seconds"] for run in runs]))


def _pruned(runs: Sequence[Found]) -> float:
    return float(np.mean([100.0 * (1 - np.mean(run["done"])) for run in runs]))
