"""Tables and conclusions of `benchmarks.early_stopping`, from what the rules did to the curves."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.datasets import Task
from benchmarks.early_stopping.replay import (
    DEFAULT,
    FULL,
    KERAS,
    METRIC_NAME,
    ON_METRIC,
    RESTORING,
    Curves,
    Outcome,
    Variant,
    replay,
)
from kerasopt.callbacks import EarlyStopping

Array = NDArray[np.float64]
SMALLEST = 1e-4  # a test part without any error counts as one wrong of ten thousand


@dataclass(frozen=True)
class Figures:
    """What came out, as arrays of shape (variants, tasks, seeds).

    Attributes:
        epochs: Epochs used.
        share: The same in percent of the full run.
        error: Test error at the restored weights.
        excess: The same over the least test error of the full run, in percent of that.
        unrestored: The excess with the weights of the epoch at which it stopped.
        loss: The excess of the test loss at the restored weights, in percent.
        unrestored_loss: The same with the weights of the epoch at which it stopped.
        stopped: 1 if the rule stopped the run before its end.
    """

    epochs: Array
    share: Array
    error: Array
    excess: Array
    unrestored: Array
    loss: Array
    unrestored_loss: Array
    stopped: Array


def over(values: list[float], at: int) -> float:
    """Give how far a value of a curve is above the least of the curve, in percent."""
    least = max(min(values), SMALLEST)
    return 100.0 * (max(values[at], SMALLEST) / least - 1.0)


def one_run(curves: Curves, outcome: Outcome) -> list[float]:
    """Give the figures of one variant and one run, in the order of `Figures`."""
    error, loss = curves["test_error"], curves["test_loss"]
    return [
        outcome.epochs,
        100.0 * outcome.epochs / len(error),
        error[outcome.restored],
        over(error, outcome.restored),
        over(error, outcome.epochs - 1),
        over(loss, outcome.restored),
        over(loss, outcome.epochs - 1),
        outcome.stopped,
    ]


def figures(variants: Sequence[Variant], runs: Sequence[Sequence[Curves]]) -> Figures:
    """Replay all variants over all runs, by task and seed."""
    rows = [
        [[one_run(curves, replay(variant, curves)) for curves in seeds] for seeds in runs]
        for variant in variants
    ]
    return Figures(*np.moveaxis(np.array(rows, float), -1, 0))


def spread(values: Array) -> Array:
    """Give the standard error over the seeds of a mean over tasks; the tasks are given."""
    tasks, seeds = values.shape[-2:]
    if seeds < 2:
        return np.full(values.shape[:-2], np.nan)
    return np.sqrt((values.var(-1, ddof=1) / seeds).sum(-1)) / tasks


def mean(values: Array) -> Array:
    """Give the mean over tasks and seeds."""
    return values.mean((-2, -1))


def by_excess(found: Figures) -> list[int]:
    """Give the variants from the least excess to the largest, fewer epochs first."""
    excess, share = mean(found.excess).round(6), mean(found.share).round(6)
    return sorted(range(len(excess)), key=lambda i: (excess[i], share[i]))


def front(share: Array, excess: Array, candidates: Sequence[int]) -> list[int]:
    """Give the variants than which none has both fewer epochs and less excess, by epochs."""
    chosen: list[int] = []
    for i in sorted(candidates, key=lambda i: (share[i].round(6), excess[i].round(6))):
        if not chosen or excess[i] < excess[chosen[-1]] - 1e-6:
            chosen.append(i)
    return chosen


def stopping_rules(variants: Sequence[Variant], found: Figures) -> list[int]:
    """Give the rules of kerasopt that stopped at least half of the runs: what one can choose."""
    own = [i for i, variant in enumerate(variants) if variant.family not in (FULL, KERAS)]
    return [i for i in own if found.stopped[i].mean() >= 0.5] or own


def weights_of(variant: Variant) -> str:
    """Say which weights a variant leaves in the model."""
    if variant.monitor is None:
        return "last"
    return "best metric" if variant.monitor == METRIC_NAME else "best val_loss"


def overall_table(variants: Sequence[Variant], found: Figures) -> list[str]:
    """Give the table over all tasks, sorted by excess."""
    lines = [
        "| # | rule | weights | excess, % | epochs, % | excess of the worst task, % | "
        "excess without restoring, % | excess of test loss, % | never stopped |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    runs = found.stopped[0].size
    for number, i in enumerate(by_excess(found), 1):
        lines.append(
            f"| {number} | {cell(variants[i])} | {weights_of(variants[i])} "
            f"| {mean(found.excess)[i]:.1f} ± {spread(found.excess)[i]:.1f} "
            f"| {mean(found.share)[i]:.0f} ± {spread(found.share)[i]:.0f} "
            f"| {found.excess[i].mean(-1).max():.1f} "
            f"| {mean(found.unrestored)[i]:.1f} | {mean(found.loss)[i]:.1f} "
            f"| {runs - found.stopped[i].sum():.0f} of {runs} |"
        )
    return lines


def code(variant: Variant) -> str:
    """Give a name with its code as code."""
    if variant.family == FULL:
        return variant.name
    name, comma, rest = variant.name.partition(RESTORING if variant.family == KERAS else ON_METRIC)
    return f"`{name}`{comma}{rest}"


def cell(variant: Variant) -> str:
    """Give a name as it can stand in a table."""
    return code(variant).replace("|", "\\|")


def task_table(
    task: Task, at: int, variants: Sequence[Variant], found: Figures, seeds: int
) -> list[str]:
    """Give the table of one task, numbered and in the order of the table over all tasks."""
    scale, digits, unit = (100.0, 2, ", %") if task.classes else (1.0, 4, "")
    lines = [
        f"### {task.name}",
        "",
        f"{task.sizes[0]:,} samples to train on, {task.sizes[1]:,} to validate, {task.sizes[2]:,} "
        f"to test; full run of {task.epochs} epochs, batch {task.batch}, Adam "
        f"({task.learning_rate:g}). Test error: {task.measure}.",
        "",
        f"| # | rule | epochs used | of the full run, % | test error{unit} | excess, % "
        "| without restoring, % | never stopped |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for number, i in enumerate(by_excess(found), 1):
        epochs, error, excess = (a[i, at] for a in (found.epochs, found.error, found.excess))
        deviation = excess.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        lines.append(
            f"| {number} | {cell(variants[i])} | {epochs.mean():.1f} ± {deviate(epochs):.1f} "
            f"| {found.share[i, at].mean():.0f} "
            f"| {scale * error.mean():.{digits}f} ± {scale * deviate(error):.{digits}f} "
            f"| {excess.mean():.1f} ± {deviation:.1f} | {found.unrestored[i, at].mean():.1f} "
            f"| {seeds - found.stopped[i, at].sum():.0f} of {seeds} |"
        )
    return [*lines, ""]


def deviate(values: Array) -> float:
    """Give the standard deviation of a sample, NaN of a single value."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def conclusions(tasks: Sequence[Task], variants: Sequence[Variant], found: Figures) -> list[str]:
    """Say which rules are best by criteria that are computed, and how the default fares."""
    excess, share = mean(found.excess), mean(found.share)
    candidates = stopping_rules(variants, found)

    def say(i: int, more: str = "") -> str:
        return f"{code(variants[i])} ({excess[i]:.1f} % at {share[i]:.0f} % of the epochs{more})"

    least = min(candidates, key=lambda i: (excess[i].round(6), share[i]))
    near = [i for i in candidates if excess[i] <= excess[least] + 1.0]
    behind = found.excess - found.excess[least]
    late, doubt = mean(behind), spread(behind)
    tied = sorted(
        (i for i in candidates if i != least and late[i] <= 2 * doubt[i]), key=lambda i: share[i]
    )
    lines = [
        "Of kerasopt's rules that stopped at least half of the runs:",
        "",
        f"- Least excess: {say(least)}.",
        f"- Fewest epochs within one percentage point of it: "
        f"{say(min(near, key=lambda i: share[i]))}.",
        "- Behind it by no more than two standard errors, compared run by run, fewest epochs "
        "first: "
        + "; ".join(say(i, f", behind by {late[i]:.1f} ± {doubt[i]:.1f}") for i in tied)
        + ".",
        "- Pareto front (no rule has less excess with as few epochs), from short to long: "
        + "; ".join(say(i) for i in front(share, excess, candidates))
        + ".",
    ]
    for at, task in enumerate(tasks):
        own, used = found.excess[:, at].mean(-1), found.share[:, at].mean(-1)
        best = min(candidates, key=lambda i: (own[i].round(6), used[i]))
        quick = min((i for i in candidates if own[i] <= own[best] + 1.0), key=lambda i: used[i])
        lines.append(
            f"- {task.name}: least excess {code(variants[best])} ({own[best]:.1f} % at "
            f"{used[best]:.0f} %), fewest epochs within one point {code(variants[quick])} "
            f"({own[quick]:.1f} % at {used[quick]:.0f} %)."
        )
    return [*lines, "", "What else they say:", "", *_of_the_default(tasks, variants, found)]


def _of_the_default(
    tasks: Sequence[Task], variants: Sequence[Variant], found: Figures
) -> list[str]:
    at = {variant.name: i for i, variant in enumerate(variants)}
    excess, share, unrestored = mean(found.excess), mean(found.share), mean(found.unrestored)
    loss, unrestored_loss = mean(found.loss), mean(found.unrestored_loss)
    defaults: dict[str, Any] = {
        name: parameter.default
        for name, parameter in inspect.signature(EarlyStopping.__init__).parameters.items()
    }
    told = ", ".join(f"{name}={defaults[name]}" for name in ("patience", "restore_best_weights"))
    steps = "; ".join(
        f"`patience={patience}` {excess[at[name]]:.1f} % at {share[at[name]]:.0f} %"
        for patience, name in ((0, DEFAULT), *((p, f"Patience({p})") for p in (3, 5, 10, 20)))
    )
    pairs = [
        (at[f"Keras EarlyStopping(patience={p}){RESTORING}"], at[f"Patience({p})"])
        for p in (3, 5, 10)
    ]
    same = sum(
        int(((found.epochs[a] == found.epochs[b]) & (found.error[a] == found.error[b])).sum())
        for a, b in pairs
    )
    peer, ten, ten_metric = (
        at[name] for name in ("Keras EarlyStopping()", "Patience(10)", f"Patience(10){ON_METRIC}")
    )
    whole, metric = at["full run, best epoch"], at["full run, best epoch of the metric"]
    watching = [i for i, v in enumerate(variants) if v.family not in (FULL, KERAS) and v.monitor]
    by_task = "; ".join(
        f"{task.name} {found.excess[ten_metric, t].mean():.1f} % instead of "
        f"{found.excess[ten, t].mean():.1f} %"
        for t, task in enumerate(tasks)
    )
    return [
        f"- The default of `kerasopt.callbacks.EarlyStopping` is `{told}`. The patience is that of "
        "Keras, so that a changed import does not change when a run stops. Excess and epochs: "
        f"{steps}.",
        f"- Keras's own callback with `restore_best_weights=True` and a patience of 3, 5 or 10 "
        f"ended with the same epochs and weights as `Patience` of that number in {same} of "
        f"{found.epochs[0].size * len(pairs)} runs. Its default, which leaves the last weights: "
        f"{excess[peer]:.1f} % at {share[peer]:.0f} %.",
        "- Restoring the best epoch, on average over the rules that watch a validation metric: "
        f"excess of the test error {excess[watching].mean():.1f} % instead of "
        f"{unrestored[watching].mean():.1f} %, of the test loss {loss[watching].mean():.1f} % "
        f"instead of {unrestored_loss[watching].mean():.1f} %. For `Patience(10)`: error "
        f"{excess[ten]:.1f} % instead of {unrestored[ten]:.1f} %, loss {loss[ten]:.1f} % instead "
        f"of {unrestored_loss[ten]:.1f} %.",
        f"- Which metric is watched, with `Patience(10)`, the metric instead of `val_loss`: "
        f"{by_task}.",
        "- What no rule can help: over the least test error, the best epoch of `val_loss` in the "
        f"full run is {excess[whole]:.1f} %, that of the validation metric {excess[metric]:.1f} %.",
    ]
