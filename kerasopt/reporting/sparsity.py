"""A picture of how sparse a model is."""

import os
from typing import Any

import keras
import numpy as np

from kerasopt._core.checks import bad_type, bad_value
from kerasopt.pruning.masks.kernel_layout import layout_of
from kerasopt.pruning.patterns.pattern import as_matrix
from kerasopt.pruning.report.sparsity import sparsity
from kerasopt.reporting.figures import check_path, new_figure, written
from kerasopt.reporting.plots import epochs_of
from kerasopt.selection import select

_MOST = 512
_KEPT, _GONE = "#0072b2", "#f0e9dd"  # apart for the colour-blind, and in grey


def plot_sparsity(
    model: Any,
    history: Any = None,
    kernel: str | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """Plot the share of zeros in each kernel, their share over time, and where they are.

    Args:
        model: A built Keras model.
        history: What `fit` returned with a `Pruning`, or its `history` dict of lists: adds a panel
            with `sparsity` over the epochs. Defaults to `None`.
        kernel: Path of a kernel (`"conv/kernel"`) or name of its layer: adds a picture of its mask,
            as a matrix of (spatial x in, out). Defaults to `None`: the largest one with zeros.
        path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the model is not built or has no kernel, `history` has no `sparsity`, no
            kernel has that name, or nothing can be written to `path`.
        ImportError: If matplotlib is not installed.
    """
    check_path(path)
    table = sparsity(model)
    curve = None if history is None else _curve(history)
    row = _row(table.rows, kernel)
    panels = 1 + (curve is not None) + (row is not None)
    height = max(3.2, 0.28 * len(table.rows) + 1.2)
    figure = new_figure(5.0 * panels, min(height, 14.0))
    axes = iter(figure.subplots(1, panels, squeeze=False)[0])
    _bars(next(axes), table)
    if curve is not None:
        _over_time(next(axes), *curve)
    if row is not None:
        _picture(next(axes), model, row)
    if title:
        figure.suptitle(title)
    return written(figure, path)


def _curve(history: Any) -> tuple[list[int], list[float]]:
    values = getattr(history, "history", history)
    if not isinstance(values, dict):
        raise bad_type("history", "what `fit` returned, or its `history` dict of lists", history)
    if not values.get("sparsity"):
        raise bad_value("history", "that of a `fit` with a `Pruning`", sorted(values))
    epochs = getattr(history, "epoch", range(max(map(len, values.values()))))
    return epochs_of(values["sparsity"], list(epochs)), values["sparsity"]


def _row(rows: Any, kernel: str | None) -> Any:
    if kernel is None:
        sparse = [row for row in rows if row.zeros]
        return max(sparse, key=lambda row: row.parameters, default=None)
    for row in rows:
        if kernel in (row.path, row.path.rsplit("/", 1)[0]):
            return row
    raise bad_value("kernel", f"one of {[row.path for row in rows]}", kernel)


def _bars(axis: Any, table: Any) -> None:
    names = [f"{row.path}  ({row.pattern})" for row in table.rows]
    places = np.arange(len(names))
    axis.barh(places, [row.sparsity for row in table.rows], color=_KEPT)
    for place, row in zip(places, table.rows, strict=True):
        axis.text(row.sparsity + 0.01, place, f"{row.sparsity:.1%}", va="center", fontsize="small")
    axis.axvline(table.total, color="black", linestyle=":", label=f"all: {table.total:.1%}")
    axis.set_yticks(places, names, fontsize="small")
    axis.set(xlim=(0, 1.15), xlabel="share of zeros", title="kernels")
    axis.invert_yaxis()
    axis.legend(
        frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3
    )


def _over_time(axis: Any, epochs: list[int], values: list[float]) -> None:
    axis.plot(epochs, values, marker=".", color=_KEPT)
    axis.set(ylim=(0, 1), xlabel="epoch", ylabel="share of zeros", title="over time")
    axis.grid(alpha=0.3)


def _picture(axis: Any, model: Any, row: Any) -> None:
    from matplotlib.colors import ListedColormap

    target = next(one for one in select(model) if one.path == row.path)
    weights = layout_of(target.layer, target.variable).view(
        keras.ops.convert_to_numpy(target.variable)
    )
    kept = as_matrix(weights) != 0
    rows, columns = kept.shape
    shown = kept[:_MOST, :_MOST]
    axis.imshow(shown, cmap=ListedColormap([_GONE, _KEPT]), vmin=0, vmax=1, aspect="auto",
                interpolation="nearest")  # fmt: skip
    part = "" if shown.shape == kept.shape else f", the first {shown.shape[0]} x {shown.shape[1]}"
    axis.set(xlabel="outputs", ylabel="inputs", title=f"{row.path}: {rows} x {columns}{part}")
