"""Pictures of a search: history, importances, parallel coordinates, Pareto front."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt._core.checks import bad_value
from kerasopt.reporting.figures import check_path, new_figure, written

_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#b0b0b0"
_Goals = Sequence[tuple[str, str]]


def plot_search(
    records: Sequence[Any],
    goals: _Goals,
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """Plot the first objective of each trial, and the best so far.

    Args:
        records: The trials, as `Tuner.results` gives them.
        goals: Name and direction of each objective.
        path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: If no trial has been completed, or nothing can be written to `path`.
        ImportError: If matplotlib is not installed.
    """
    check_path(path)
    done = _done(records)
    (name, direction), *_ = goals
    figure = new_figure(6.4, 4.0)
    axis = figure.subplots()
    good = [one for one in done if one.feasible]
    bad = [one for one in done if not one.feasible]
    axis.scatter([int(one.id) for one in good], [_first(one) for one in good], s=18, color=_BLUE,
                 label="completed", zorder=2)  # fmt: skip
    if bad:
        axis.scatter([int(one.id) for one in bad], [_first(one) for one in bad], s=18,
                     facecolors="none", edgecolors=_BLUE, label="breaks constraints")  # fmt: skip
    pruned = [one for one in records if one.state == "PRUNED" and one.curve]
    if pruned:
        axis.scatter([int(one.id) for one in pruned],
                     [one.curve[max(one.curve)] for one in pruned], s=18, marker="x",
                     color=_GREY, label="pruned, last epoch")  # fmt: skip
    if good:
        best = np.maximum if direction == "max" else np.minimum
        axis.step([int(one.id) for one in good], best.accumulate([_first(one) for one in good]),
                  where="post", color=_ORANGE, label="best so far", zorder=3)  # fmt: skip
    failed = sum(one.state == "FAILED" for one in records)
    axis.set(xlabel="trial" + (f" ({failed} failed)" if failed else ""), ylabel=_words(name))
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize="small")
    if title:
        axis.set_title(title)
    return written(figure, path)


def plot_importances(
    importances: Mapping[str, float],
    objective: str,
    path: str | os.PathLike[str] | None = None,
) -> Any:
    """Plot how much each hyperparameter matters.

    Args:
        importances: What `SearchResult.importances` gave.
        objective: Name of the objective.
        path: Where to write the plot. Defaults to `None`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are none, or nothing can be written to `path`.
    """
    check_path(path)
    if not importances:
        raise bad_value("importances", "at least one hyperparameter", dict(importances))
    names = list(importances)
    figure = new_figure(6.0, max(1.8, 0.32 * len(names) + 1.1))
    axis = figure.subplots()
    places = np.arange(len(names))
    axis.barh(places, list(importances.values()), color=_BLUE)
    for place, value in zip(places, importances.values(), strict=True):
        axis.text(value + 0.01, place, f"{value:.0%}", va="center", fontsize="small")
    axis.set_yticks(places, names, fontsize="small")
    axis.set(xlim=(0, 1.12), xlabel=f"share of the importance for good {_words(objective)}")
    axis.invert_yaxis()
    return written(figure, path)


def plot_parallel(
    records: Sequence[Any],
    goals: _Goals,
    path: str | os.PathLike[str] | None = None,
) -> Any:
    """Plot each completed trial as a line through its hyperparameters, coloured by its objective.

    Args:
        records: The trials.
        goals: Name and direction of each objective.
        path: Where to write the plot. Defaults to `None`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: If no trial has been completed, or nothing can be written to `path`.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    check_path(path)
    done = _done(records)
    (name, direction), *_ = goals
    axes = list(dict.fromkeys(key for one in done for key in one.values))
    axes = [key for key in axes if len({repr(one.values.get(key)) for one in done}) > 1] or axes
    scales = {key: _scale([one.values[key] for one in done if key in one.values]) for key in axes}
    values = [_first(one) for one in done]
    # The best end of the colours is dark, whichever way is good.
    colours = ScalarMappable(
        Normalize(min(values), max(values)), "viridis_r" if direction == "max" else "viridis"
    )
    figure = new_figure(max(5.0, 1.35 * len(axes) + 2.0), 4.2)
    axis = figure.subplots()
    order = sorted(done, key=_first, reverse=direction == "min")
    for one in order:
        heights = [scales[key][0].get(repr(one.values[key])) if key in one.values else np.nan
                   for key in axes]  # fmt: skip
        colour = colours.cmap(colours.norm(np.array(_first(one))))
        axis.plot(range(len(axes)), heights, color=colour, alpha=0.75, marker=".")
    for place, key in enumerate(axes):
        axis.axvline(place, color="black", linewidth=0.6, zorder=0)
        for height, text in scales[key][1]:
            box = {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0.5}
            axis.text(place + 0.04, height, text, fontsize="x-small", va="center", bbox=box)
    axis.set_xticks(range(len(axes)), axes, rotation=20, ha="right", fontsize="small")
    axis.set_yticks([])
    axis.set(xlim=(-0.2, len(axes) - 0.5), ylim=(-0.06, 1.06))
    for side in ("top", "left", "right"):
        axis.spines[side].set_visible(False)
    figure.colorbar(colours, ax=axis, label=_words(name))
    return written(figure, path)


def plot_pareto(
    records: Sequence[Any],
    front: Sequence[Any],
    goals: _Goals,
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """Plot two objectives of all completed trials, with the Pareto front as a line.

    Args:
        records: The trials.
        front: Those on the front.
        goals: Name and direction of the two objectives.
        path: Where to write the plot. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are not two objectives, no trial has been completed, or nothing can be
            written to `path`.
    """
    check_path(path)
    if len(goals) != 2:
        raise bad_value("objective", "two objectives", [name for name, _ in goals])
    done = _done(records)
    chosen = {one.id for one in front}
    figure = new_figure(6.0, 4.2)
    axis = figure.subplots()
    for label, group, style in (
        ("other trials", [o for o in done if o.feasible and o.id not in chosen],
         {"color": _GREY}),
        ("breaks constraints", [o for o in done if not o.feasible],
         {"facecolors": "none", "edgecolors": _GREY}),
        ("Pareto front", front, {"color": _ORANGE, "zorder": 3}),
    ):  # fmt: skip
        if group:
            points = np.array([one.objectives for one in group])
            axis.scatter(points[:, 1], points[:, 0], s=26, label=label, **style)
    if front:
        points = np.array(sorted((one.objectives for one in front), key=lambda p: p[1]))
        axis.plot(points[:, 1], points[:, 0], color=_ORANGE, linewidth=1, drawstyle="steps-post")
        for one in front:
            axis.annotate(str(int(one.id)), tuple(one.objectives)[::-1], (4, 4),
                          textcoords="offset points", fontsize="x-small")  # fmt: skip
    arrows = {"max": "higher is better", "min": "lower is better"}
    (up, up_way), (right, right_way) = goals
    axis.set(
        xlabel=f"{_words(right)} ({arrows[right_way]})", ylabel=f"{_words(up)} ({arrows[up_way]})"
    )
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize="small")
    if title:
        axis.set_title(title)
    return written(figure, path)


def _done(records: Sequence[Any]) -> list[Any]:
    done = [one for one in records if one.state == "COMPLETED" and one.objectives]
    if not done:
        raise bad_value("records", "at least one completed trial", [one.state for one in records])
    return done


def _first(one: Any) -> float:
    return float(one.objectives[0])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _scale(values: Sequence[Any]) -> tuple[dict[str, float], list[tuple[float, str]]]:
    """Give each value its height from 0 to 1, and where to write which value."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        low, high = min(values), max(values)
        wide = low > 0 and high / low > 30
        shape = np.log if wide else (lambda value: value)
        span = float(shape(high) - shape(low)) or 1.0
        heights = {repr(value): float(shape(value) - shape(low)) / span for value in values}
        return heights, [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")] if high > low else [
            (0.0, f"{low:.3g}")
        ]
    words = sorted({repr(value) for value in values})
    heights = {word: place / max(1, len(words) - 1) for place, word in enumerate(words)}
    return heights, [(heights[word], word.strip("'")) for word in words]
