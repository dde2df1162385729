"""The plot: epochs used against excess error, a numbered point a rule."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from benchmarks.common.datasets import Task
from benchmarks.early_stopping.replay import (
    BLIND,
    BOTH,
    CURVE,
    FULL,
    KERAS,
    METRIC,
    PATIENCE,
    PRECHELT,
    Variant,
)
from benchmarks.early_stopping.report import Figures, by_excess, front, mean, spread, stopping_rules

Array = NDArray[np.float64]
COLOURS = {
    KERAS: "black",
    PATIENCE: "tab:blue",
    PRECHELT: "tab:red",
    CURVE: "tab:purple",
    BOTH: "tab:green",
    METRIC: "tab:orange",
    BLIND: "tab:brown",
    FULL: "tab:gray",
}


def place_labels(axis: Any, points: dict[str, tuple[float, float]], colours: list[str]) -> None:
    """Write each label next to its point, where no other label and no point is.

    Args:
        axis: With its final scale and limits, in a figure that was drawn.
        points: Label -> where it belongs, in data coordinates.
        colours: Of the labels.
    """
    pixels = [axis.transData.transform(point) for point in points.values()]
    low, high = axis.transAxes.transform([(0, 0), (1, 1)])
    scale = axis.figure.dpi / 72
    taken: list[tuple[float, float, float]] = [(x, y, 4.0 * scale) for x, y in pixels]
    ways = [
        (radius * np.cos(angle), radius * np.sin(angle))
        for radius in range(11, 120, 5)
        for angle in np.linspace(np.pi / 4, np.pi * 9 / 4, 16, endpoint=False)
    ]
    for label, (x, y), colour in zip(points, pixels, colours, strict=True):
        wide = (4.0 + 2.6 * len(label)) * scale
        for dx, dy in ways:
            at = (x + dx * scale, y + dy * scale)
            inside = low[0] + wide < at[0] < high[0] - wide and low[1] < at[1] - 6 * scale
            free = all(
                abs(at[0] - a) > wide + w or abs(at[1] - b) > 5 * scale + min(w, 5 * scale)
                for a, b, w in taken
            )
            if inside and free and at[1] < high[1] - 6 * scale:
                break
        taken.append((*at, wide))
        axis.annotate(
            label,
            (x, y),
            at,
            xycoords="figure pixels",
            textcoords="figure pixels",
            ha="center",
            va="center",
            fontsize=8,
            color=colour,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": colour, "shrinkA": 4, "shrinkB": 2},
        )


def draw(
    axis: Any,
    variants: Sequence[Variant],
    share: tuple[Array, Array],
    excess: tuple[Array, Array],
    numbers: dict[int, int],
    candidates: Sequence[int],
    bars: bool,
) -> None:
    """Draw one panel: points, error bars, the Pareto front, numbers.

    Args:
        axis: The panel.
        variants: The rules.
        share: Percent of the epochs, and its standard error.
        excess: Percent of excess, and its standard error.
        numbers: Variant -> its number.
        candidates: The variants that may be on the front.
        bars: Whether to draw error bars and all numbers, else the numbers of the front.
    """
    for i, variant in enumerate(variants):
        axis.errorbar(
            share[0][i],
            excess[0][i],
            xerr=share[1][i] if bars else None,
            yerr=excess[1][i] if bars else None,
            fmt="s" if variant.family == FULL else "o",
            color=COLOURS[variant.family],
            ecolor=(*to_rgb(COLOURS[variant.family]), 0.25),
            markersize=4,
            lw=1,
        )
    on_front = front(share[0], excess[0], candidates)
    axis.step(
        share[0][on_front],
        excess[0][on_front],
        where="post",
        color="gold",
        lw=4,
        alpha=0.5,
        zorder=0,
    )
    axis.set_yscale("log")
    axis.set_xlim(0, 106)
    axis.grid(alpha=0.25, which="both")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("")
    same: dict[tuple[float, float], list[int]] = {}
    for i in numbers if bars else on_front:
        same.setdefault((round(share[0][i], 3), round(excess[0][i], 3)), []).append(i)
    points = {", ".join(str(numbers[i]) for i in group): at for at, group in same.items()}
    axis.figure.canvas.draw()
    colours = [COLOURS[variants[group[0]].family] for group in same.values()]
    place_labels(axis, points, colours)


def plot(tasks: Sequence[Task], variants: Sequence[Variant], found: Figures, path: Path) -> None:
    """Draw the mean over tasks with the list of rules, and below a small panel a task."""
    numbers = {i: number for number, i in enumerate(by_excess(found), 1)}
    candidates = stopping_rules(variants, found)
    figure = Figure(figsize=(14, 12), dpi=110)
    grid = figure.add_gridspec(
        2, 1, height_ratios=[2.3, 1], left=0.055, right=0.985, top=0.95, bottom=0.05, hspace=0.2
    )
    top = grid[0].subgridspec(1, 2, width_ratios=[2.1, 1], wspace=0.03)
    main = figure.add_subplot(top[0])
    main.set_title(f"mean of {len(tasks)} tasks, {found.excess.shape[-1]} seeds each")
    main.set(xlabel="epochs used, % of the full run", ylabel="excess of the test error, % (log)")
    draw(
        main,
        variants,
        (mean(found.share), spread(found.share)),
        (mean(found.excess), spread(found.excess)),
        numbers,
        candidates,
        bars=True,
    )
    names = figure.add_subplot(top[1])
    names.axis("off")
    for i, number in numbers.items():
        y = 1.0 - (number - 0.5) / (len(numbers) + 10)
        names.text(0.07, y, number, color=COLOURS[variants[i].family], fontsize=9, ha="right")
        names.text(0.09, y, variants[i].name, color=COLOURS[variants[i].family], fontsize=9)
    for row, (family, colour) in enumerate(COLOURS.items()):
        y = 1.0 - (len(numbers) + row + 1) / (len(numbers) + 10)
        names.plot(0.06, y + 0.006, "s" if family == FULL else "o", color=colour, markersize=5)
        names.text(0.09, y, family, fontsize=8, color="dimgray")
    names.plot([0.04, 0.08], [0.006, 0.006], color="gold", lw=4, alpha=0.5)
    names.text(0.09, 0.0, "Pareto front of the rules that stop", fontsize=8, color="dimgray")
    names.set(xlim=(0, 1), ylim=(0, 1))
    panels = grid[1].subgridspec(1, len(tasks), wspace=0.16)
    for at, task in enumerate(tasks):
        axis = figure.add_subplot(panels[at])
        axis.set_title(task.name, fontsize=10)
        axis.set_xlabel("epochs used, %")
        axis.margins(y=0.12)
        share = found.share[:, at].mean(-1)
        excess = np.maximum(found.excess[:, at].mean(-1), 0.05)  # the axis has no 0
        draw(
            axis,
            variants,
            (share, share * 0),
            (excess, excess * 0),
            numbers,
            candidates,
            bars=False,
        )
    figure.savefig(path)
