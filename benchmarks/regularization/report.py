"""Tables and conclusions of `benchmarks.regularization`, from the recorded runs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.common.datasets import Task
from benchmarks.regularization.record import Run
from benchmarks.regularization.tasks import VARIANTS, variants

Array = NDArray[np.float64]
Runs = dict[str, list[Run]]
Chosen = dict[str, float]
BEYOND, ALONE, NOISE = "beyond the noise", "doubtful", "within the noise"


class Difference(NamedTuple):
    """Test accuracy less that of `none`, compared seed by seed, in percentage points."""

    mean: float
    error: float
    low: float
    high: float
    p: float
    holm: float

    @property
    def verdict(self) -> str:
        """Say whether it is more than the seeds alone make."""
        if not self.p < 0.05:
            return NOISE
        which = "better" if self.mean > 0 else "worse"
        return f"{which}, {BEYOND if self.holm < 0.05 else ALONE}"


def percent(runs: Sequence[Run], key: str) -> Array:
    """Give a figure of every seed, times 100."""
    return 100 * np.array([run[key] for run in runs])


def deviation(values: Array) -> float:
    """Give the standard deviation of a sample, NaN of a single value."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for there being several of them (Holm, 1979)."""
    order, corrected, least = np.argsort(p), [float("nan")] * len(p), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[i]))
        corrected[i] = least if np.isfinite(p[i]) else float("nan")
    return corrected


def differences(runs: Runs) -> dict[str, Difference]:
    """Compare each variant of a task with `none`, by a paired t test."""
    names = [name for name in runs if name != "none"]
    bare = percent(runs["none"], "test")
    rows = []
    for name in names:
        more = percent(runs[name], "test") - bare
        error = deviation(more) / np.sqrt(len(more))
        freedom = len(more) - 1
        half = error * stats.t.ppf(0.975, freedom) if freedom else float("nan")
        p = float("nan")
        if freedom:  # where all seeds differ alike, the differences have no error
            p = float(2 * stats.t.sf(abs(more.mean()) / max(error, 1e-9), freedom))
        rows.append((more.mean(), error, more.mean() - half, more.mean() + half, p))
    corrected = holm([row[-1] for row in rows])
    return {
        name: Difference(*map(float, row), more)
        for name, row, more in zip(names, rows, corrected, strict=True)
    }


def task_table(task: Task, runs: Runs, chosen: Chosen) -> list[str]:
    """Give the table of one task."""
    found, seeds = differences(runs), len(runs["none"])
    lines = [
        f"### {task.name}",
        "",
        f"{task.sizes[0]:,} samples to train on, {task.sizes[1]:,} to validate, {task.sizes[2]:,} "
        f"to test, the same for all seeds; at most {task.epochs} epochs, batch {task.batch}, Adam "
        f"({task.learning_rate:g}).",
        "",
        "| variant | strength | test accuracy, % | less `none`, points | 95 % interval | p | "
        "p (Holm) | verdict | epochs used | to the limit | train accuracy, % | "
        "validation accuracy, % | gap, points | test cross entropy |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, seed_runs in runs.items():
        test, train, validation = (
            percent(seed_runs, key) for key in ("test", "train", "validation")
        )
        epochs = np.array([run["epochs"] for run in seed_runs], float)
        entropy = percent(seed_runs, "test_cross_entropy") / 100
        compared = "| | | | | |"
        if name in found:
            one = found[name]
            compared = (
                f"| {one.mean:+.2f} ± {one.error:.2f} | {one.low:+.2f} to {one.high:+.2f} "
                f"| {one.p:.3f} | {one.holm:.3f} | {one.verdict} |"
            )
        strength = f"{chosen[name]:g}" if name in found else ""
        lines.append(
            f"| {name} | {strength} | {test.mean():.2f} ± {deviation(test):.2f} {compared} "
            f"{epochs.mean():.1f} ± {deviation(epochs):.1f} "
            f"| {seeds - sum(run['stopped'] for run in seed_runs)} of {seeds} "
            f"| {train.mean():.1f} ± {deviation(train):.1f} "
            f"| {validation.mean():.1f} ± {deviation(validation):.1f} "
            f"| {(train - validation).mean():.1f} ± {deviation(train - validation):.1f} "
            f"| {entropy.mean():.3f} ± {deviation(entropy):.3f} |"
        )
    return [*lines, ""]


def shared(found: Sequence[Runs]) -> list[str]:
    """Give the names of the variants that every task has."""
    return [one.name for one in VARIANTS if all(one.name in runs for runs in found)]


def pooled(found: Sequence[Runs], name: str, key: str = "test") -> tuple[float, float]:
    """Give the mean over tasks of the difference to `none`, and its standard error.

    The error is that over the seeds: the tasks are these, not a sample of tasks.
    """
    more = np.array([percent(runs[name], key) - percent(runs["none"], key) for runs in found])
    if more.shape[1] < 2:
        return float(more.mean()), float("nan")
    return float(more.mean()), float(np.sqrt((more.var(1, ddof=1) / more.shape[1]).sum())) / len(
        more
    )


def overall_table(found: Sequence[Runs]) -> list[str]:
    """Give the means over the tasks of the variants that all of them have, the best first."""
    lines = [
        "| variant | test accuracy less `none`, points | mean test accuracy, % | gap, points | "
        "test cross entropy | epochs used |",
        "|---|--:|--:|--:|--:|--:|",
    ]

    def mean(name: str, key: str) -> float:
        return float(np.mean([[run[key] for run in runs[name]] for runs in found]))

    for name in sorted(shared(found), key=lambda name: -pooled(found, name)[0]):
        more, error = pooled(found, name)
        gap = 100 * (mean(name, "train") - mean(name, "validation"))
        lines.append(
            f"| {name} | {'' if name == 'none' else f'{more:+.2f} ± {error:.2f}'} "
            f"| {100 * mean(name, 'test'):.2f} | {gap:.1f} "
            f"| {mean(name, 'test_cross_entropy'):.3f} | {mean(name, 'epochs'):.1f} |"
        )
    return [*lines, ""]


def strengths_table(
    tasks: Sequence[Task], tried: Sequence[dict[str, dict[float, list[Run]]]], chosen: list[Chosen]
) -> list[str]:
    """Give the validation accuracy of every strength of the grids."""
    lines = [
        "| task | variant | strength: validation accuracy, % | chosen |",
        "|---|---|---|---|",
    ]
    for task, by_variant, best in zip(tasks, tried, chosen, strict=True):
        for name, by_strength in by_variant.items():
            cells = ", ".join(
                f"{strength:g}: {percent(runs, 'validation').mean():.1f}"
                for strength, runs in by_strength.items()
            )
            edge = best[name] in (min(by_strength), max(by_strength))
            lines.append(
                f"| {task.name} | {name} | {cells} | {best[name]:g}"
                f"{', the edge of its grid' if edge else ''} |"
            )
    return [*lines, ""]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none of them"


def conclusions(tasks: Sequence[Task], found: Sequence[Runs]) -> list[str]:
    """Say what is more than noise, by criteria that are computed."""
    lines = []
    for task, runs in zip(tasks, found, strict=True):
        compared = differences(runs)
        best = max(compared, key=lambda name: compared[name].mean)
        bare = percent(runs["none"], "train") - percent(runs["none"], "validation")
        groups = {
            verdict: [
                f"{name} ({one.mean:+.1f} ± {one.error:.1f})"
                for name, one in sorted(compared.items(), key=lambda item: -item[1].mean)
                if one.verdict.endswith(verdict)
            ]
            for verdict in (BEYOND, ALONE, NOISE)
        }
        near = [
            name
            for name in compared
            if name != best and not _apart(runs[best], runs[name]) and compared[name].mean > 0
        ]
        lines.append(
            f"- {task.name}: the bare model has {percent(runs['none'], 'test').mean():.1f} % on "
            f"the test part and a gap of {bare.mean():.1f} points. {BEYOND.capitalize()}: "
            f"{_list(groups[BEYOND])}. {ALONE.capitalize()}: {_list(groups[ALONE])}. "
            f"{NOISE.capitalize()}: {_list(groups[NOISE])}. Highest mean: {best}; not to be told "
            f"from it, seed by seed: {_list(near)}."
        )
    ranked = sorted(shared(found), key=lambda name: -pooled(found, name)[0])
    means = "; ".join(
        "{} {:+.2f} ± {:.2f}".format(name, *pooled(found, name))
        for name in ranked
        if name != "none"
    )
    return [*lines, f"- Over {len(tasks)} tasks, points of test accuracy over `none`: {means}."]


def _apart(one: Sequence[Run], other: Sequence[Run]) -> bool:
    """Tell whether a paired t test at 5 % tells two variants apart."""
    more = percent(one, "test") - percent(other, "test")
    if len(more) < 2 or not more.std():
        return bool(len(more) > 1 and more.any())
    return bool(stats.ttest_1samp(more, 0.0).pvalue < 0.05)


def variants_table(tasks: Sequence[Task]) -> list[str]:
    """Say how each variant is put in, and its grid."""
    wanted = [one for one in VARIANTS if any(one in variants(task) for task in tasks)]
    lines = ["| variant | how it is put in | strengths s tried |", "|---|---|---|"]
    for one in wanted:
        grid = ", ".join(f"{s:g}" for s in one.strengths) if len(one.strengths) > 1 else ""
        lines.append(f"| {one.name} | {one.call} | {grid} |")
    return [*lines, ""]
