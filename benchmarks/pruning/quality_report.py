"""Tables of accuracy of `benchmarks.pruning`, from the recorded runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from benchmarks.pruning.quality import SAME, TFMOT, TUNED_AT, TUNING_SEEDS, Run, Runs, settings

Array = NDArray[np.float64]
BETTER_AT = (0.95, 0.98)


class Row(NamedTuple):
    """The runs of one sparsity, a list a variant, seed by seed."""

    sparsity: float
    tfmot: list[Run]
    same: list[Run]
    best: list[Run]


def percent(runs: Sequence[Run], key: str = "test") -> Array:
    """Give a measure of the runs, in percent."""
    return 100 * np.array([run[key] for run in runs])


def error(values: Array) -> float:
    """Give the standard error of the mean."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def shown(values: Array, sign: str = "") -> str:
    """Give mean and standard error."""
    return f"{values.mean():{sign}.2f} ± {error(values):.2f}"


def wrong_counts(runs: Sequence[Run], sparsity: float, each: bool) -> list[int]:
    """Give by how many zeros each kernel (or all together) is off what was asked for."""
    off = []
    for run in runs:
        sizes, zeros = np.array(run["sizes"]), np.array(run["zeros"])
        if not each:
            sizes, zeros = sizes.sum(keepdims=True), zeros.sum(keepdims=True)
        asked = [size - max(round(size * (1 - sparsity)), 1) for size in sizes.tolist()]
        off += [int(found - ask) for found, ask in zip(zeros.tolist(), asked, strict=True)]
    return off


def verdict(more: Array, must_win: bool) -> str:
    """Say whether the goal is met: not below by more than one standard error, or better."""
    mean, noise = more.mean(), np.nan_to_num(error(more))
    if mean < -noise:
        return "BELOW"
    if must_win:
        return "better" if mean > noise else "within one error"
    return "not below"


def interval(more: Array) -> str:
    """Give the 95 % interval of the mean of paired differences."""
    if len(more) < 2:
        return ""
    half = error(more) * stats.t.ppf(0.975, len(more) - 1)
    return f"{more.mean() - half:+.2f} to {more.mean() + half:+.2f}"


def _by_chance(seeds: int, rows: int) -> float:
    """Give how probable it is that chance alone puts a row below by one standard error."""
    if seeds < 2:
        return float("nan")
    return float(1 - stats.t.cdf(1.0, seeds - 1) ** rows)


def section(
    runs: Runs, rows: Sequence[Row], dense: tuple[list[Run], list[Run]], seeds: int, scope: str
) -> list[str]:
    """Give the section of the report that compares accuracies."""
    task, plan = runs.task, settings(runs.task)
    steps = task.epochs * (task.sizes[0] // task.batch)
    lines = [
        "## Accuracy",
        "",
        f"{task.name}: {task.sizes[0]:,} samples to train on, {task.epochs} epochs of "
        f"{steps // task.epochs} steps, batch {task.batch}, Adam ({task.learning_rate:g}), tested "
        f"on {task.sizes[2]:,}. A CNN of 16-32 channels and 128 units, "
        f"{sum(rows[0].same[0]['sizes']):,} weights in kernels. For each of {seeds} seeds both "
        "processes start from the same weights and see the same batches in the same order. "
        f"`PolynomialDecay(0.0, s, 0, {plan['end']})`, masks every {plan['frequency']} steps (so "
        f"tfmot reaches the end), then {steps - plan['end']} steps to recover; all kernels are "
        "pruned.",
        "",
        f"*kerasopt, same* prunes each layer alike, as tfmot does; *kerasopt, best* with "
        f'`scope="{scope}"`, else the same. Test accuracy in percent, mean ± standard error; '
        "differences seed by seed. *Zeros off*: by how many zeros a kernel (of *best*: all "
        "together) misses the number asked for, the most of all seeds. Goals: never below tfmot "
        "by more than one standard error of the difference; *best* better at 95 and 98 %. Where "
        f"there is no difference at all, {100 * _by_chance(seeds, len(rows)):.0f} % of such tables "
        "have at least one row below by that much, so the 95 % interval is the better judge.",
        "",
        f"Without pruning: Keras 3 {shown(percent(dense[1]))}, tf_keras "
        f"{shown(percent(dense[0]))}.",
        "",
        "| sparsity | tfmot | kerasopt, same | less tfmot | 95 % interval | goal "
        "| kerasopt, best | less tfmot | "
        "95 % interval | goal | zeros off: tfmot | same | best |",
        "|---|--:|--:|--:|--:|---|--:|--:|--:|---|--:|--:|--:|",
    ]
    for row in rows:
        theirs = percent(row.tfmot)
        same, best = percent(row.same) - theirs, percent(row.best) - theirs
        off = [
            max(wrong_counts(found, row.sparsity, each), key=abs)
            for found, each in ((row.tfmot, True), (row.same, True), (row.best, False))
        ]
        lines.append(
            f"| {100 * row.sparsity:g} % | {shown(theirs)} | {shown(percent(row.same))} "
            f"| {shown(same, '+')} | {interval(same)} | {verdict(same, False)} "
            f"| {shown(percent(row.best))} "
            f"| {shown(best, '+')} | {interval(best)} "
            f"| {verdict(best, row.sparsity in BETTER_AT)} | "
            + " | ".join(f"{count:+d}" if count else "0" for count in off)
            + " |"
        )
    return [*lines, ""]


def scope_lines(scope: str, tried: dict[str, list[float]]) -> list[str]:
    """Say how the scope was chosen."""
    at = " and ".join(f"{100 * sparsity:g} %" for sparsity in TUNED_AT)
    cells = "; ".join(
        f"`{name}` {', '.join(f'{100 * value:.2f}' for value in values)}"
        for name, values in tried.items()
    )
    return [
        f"The scope was chosen once, by the mean validation accuracy at {at} of "
        f"{len(TUNING_SEEDS)} other seeds, which do not see the test part: {cells}. Chosen: "
        f"`{scope}`.",
        "",
    ]


def rows_of(runs: Runs, sparsities: Sequence[float], seeds: Sequence[int], scope: str) -> list[Row]:
    """Read the recorded runs of the table."""
    return [
        Row(sparsity, *(runs.get(kind, sparsity, seeds) for kind in (TFMOT, SAME, scope)))
        for sparsity in sparsities
    ]


# Of Okabe and Ito, which the colour-blind tell apart; markers and lines differ as well.
STYLES = {
    "tfmot": ("#555555", "s", ":"),
    "same": ("#0072B2", "o", "--"),
    "best": ("#D55E00", "^", "-"),
}


def plot(rows: Sequence[Row], dense: float, scope: str, path: Path) -> None:
    """Draw both panels."""
    names = {
        "tfmot": "tfmot",
        "same": "kerasopt, the same settings",
        "best": f'kerasopt, scope="{scope}"',
    }
    figure = Figure(figsize=(10, 4.2), dpi=110)
    left, right = figure.subplots(1, 2)
    places = np.arange(len(rows))
    for number, (key, (colour, marker, line)) in enumerate(STYLES.items()):
        drawn = {
            "color": colour, "marker": marker, "ls": line, "ms": 5, "lw": 1.5, "capsize": 3,
            "label": names[key],
        }  # fmt: skip
        at = places + 0.09 * (number - 1)
        values = [percent(getattr(row, key)) for row in rows]
        left.errorbar(at, [one.mean() for one in values], [*map(error, values)], **drawn)
        if key != "tfmot":
            more = [percent(getattr(row, key)) - percent(row.tfmot) for row in rows]
            right.errorbar(at, [one.mean() for one in more], [*map(error, more)], **drawn)
    left.axhline(dense, color="black", lw=0.8, ls="-.", label="without pruning, Keras 3")
    right.axhline(0.0, color=STYLES["tfmot"][0], lw=1.2, ls=":", label="tfmot")
    left.set_ylabel("test accuracy, %")
    right.set_ylabel("test accuracy less tfmot's, points")
    for axis in (left, right):
        axis.set_xticks(places, [f"{100 * row.sparsity:g} %" for row in rows])
        axis.set_xlabel("sparsity")
        axis.grid(alpha=0.25)
        axis.legend(fontsize=9, frameon=False)
    seeds = len(rows[0].tfmot)
    figure.suptitle(
        f"The same CNN, start and batches; mean ± standard error of {seeds} seeds", fontsize=10
    )
    figure.tight_layout()
    figure.savefig(path)
