"""A picture of what each TFLite mode costs and gives."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, one_of
from kerasopt.export.api import Comparison
from kerasopt.export.report.report import Report
from kerasopt.reporting.figures import check_path, new_figure, written

_OWN = {"sqnr_db": "signal to noise, dB", "argmax": "arg-max as in Keras"}
_WIDE = 3.0
"""From this ratio of the largest to the smallest on, sizes and latencies are logarithmic."""

_LETTER, _LINE = 6.5, 13.0  # of a name, in points
_AWAY = (14.0, 28.0, 42.0, 56.0)


def plot_export(
    comparison: Comparison,
    metric: str | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """Plot the size of each file against what it is worth, with its latency as colour.

    Args:
        comparison: What `export_all` gave.
        metric: What is upwards: a metric of the labels, of which the Keras model's value is a line;
            `"sqnr_db"`, the lowest signal-to-noise ratio of the outputs; or `"argmax"`, how often
            the file's largest output is the model's. Defaults to `None`: the first metric, or
            `"sqnr_db"` where no labels were given.
        path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If there is no file, none has that metric, or nothing can be written to `path`.
        ImportError: If matplotlib is not installed.
    """
    if not isinstance(comparison, Comparison):
        raise bad_type("comparison", "what `export_all` gave", comparison)
    if not comparison.files:
        raise bad_value("comparison", "one with at least one file", comparison)
    check_path(path)
    reports = {mode: file.report for mode, file in comparison.files.items()}
    metrics = list(dict.fromkeys(name for one in reports.values() for name in one.accuracy))
    chosen = one_of("metric", metric or [*metrics, "sqnr_db"][0], [*metrics, *_OWN])
    worth = {mode: _worth(report, chosen) for mode, report in reports.items()}
    known = {mode: value for mode, value in worth.items() if value is not None}
    if not known:
        raise bad_value("metric", "one that some file has", chosen)
    sizes = [reports[mode].cost.file_bytes / 1000 for mode in known]
    heights = _finite(list(known.values()))
    figure = new_figure(6.4, 4.2)
    axis = figure.subplots()
    latencies = [reports[mode].cost.latency.median_ms for mode in known]
    drawn = axis.scatter(
        sizes,
        heights,
        c=latencies,
        cmap="viridis",
        norm="log" if _wide(latencies) else "linear",
        s=90,
        edgecolors="black",
        zorder=3,
    )
    bar = figure.colorbar(drawn, ax=axis, label="latency, median ms")
    if _wide(latencies):
        _round_ticks(bar.ax.yaxis)
    if _wide(sizes):
        axis.set_xscale("log")
        _round_ticks(axis.xaxis)
    _keras_line(axis, reports, chosen)
    axis.margins(x=0.16, y=0.16)
    axis.set(xlabel="file, kB", ylabel=_OWN.get(chosen, chosen.replace("_", " ")))
    axis.grid(alpha=0.3)
    if title:
        axis.set_title(title)
    if comparison.refused:
        figure.supxlabel(f"not made: {', '.join(comparison.refused)}", fontsize="small")
    exact = [" (no difference)" if math.isinf(value) else "" for value in known.values()]
    slow = [_slow(reports[mode]) for mode in known]
    names = [f"{mode}{one}{two}" for mode, one, two in zip(known, exact, slow, strict=True)]
    _write(axis, names, list(zip(sizes, heights, strict=True)))
    return written(figure, path)


def _slow(report: Report) -> str:
    return "\nslower than float32" if report.pace is not None and report.pace.slower else ""


def _worth(report: Report, metric: str) -> float | None:
    if metric == "sqnr_db":
        return report.sqnr_db
    if metric == "argmax":
        return min((a.argmax for a in report.agreement.values() if a.argmax is not None),
                   default=None)  # fmt: skip
    both = report.accuracy.get(metric)
    return None if both is None else both["file"]


def _finite(values: Sequence[float]) -> list[float]:
    """Set what is exact, of an infinite ratio, above all others."""
    top = max((one for one in values if math.isfinite(one)), default=100.0)
    return [one if math.isfinite(one) else 1.1 * top for one in values]


def _keras_line(axis: Any, reports: Mapping[str, Report], metric: str) -> None:
    found = [one.accuracy[metric]["keras"] for one in reports.values() if metric in one.accuracy]
    if found:
        axis.axhline(found[0], color="black", linestyle=":", linewidth=1, label="Keras")
        axis.legend(frameon=False, fontsize="small")


def _wide(values: Sequence[float]) -> bool:
    return max(values) >= _WIDE * min(values) > 0


def _round_ticks(axis: Any) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())


def _write(axis: Any, names: Sequence[str], points: Sequence[tuple[float, float]]) -> None:
    """Write names above or below their points, as near as there is room."""
    axis.figure.draw_without_rendering()  # the layout is made only now
    scale = 72.0 / axis.figure.dpi
    places = [tuple(scale * axis.transData.transform(point)) for point in points]
    taken = [(x, y, _LINE, _LINE) for x, y in places]
    for name, point, (x, y) in zip(names, points, places, strict=True):
        width = _LETTER * len(name)
        away = _free(x, y, width, taken)
        taken.append((x, y + away, width, _LINE))
        line = {"arrowstyle": "-", "linewidth": 0.6} if abs(away) > _AWAY[0] else None
        axis.annotate(name, point, (0.0, away), textcoords="offset points", ha="center",
                      va="center", arrowprops=line)  # fmt: skip


def _free(x: float, y: float, width: float, taken: Sequence[tuple[float, ...]]) -> float:
    """Give how far above a point, or below it, a name overlaps nothing."""
    offsets = [sign * away for away in _AWAY for sign in (1.0, -1.0)]
    for away in offsets:
        if not any(
            abs(x - left) < (width + wide) / 2 and abs(y + away - high) < (_LINE + tall) / 2
            for left, high, wide, tall in taken
        ):
            return away
    return offsets[0]
