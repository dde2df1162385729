"""Plots of a run."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._checks import bad_type, bad_value
from kerasopt._files import replacing


def plot_history(
    history: Any, stopper: Any = None, path: str | os.PathLike[str] | None = None, title: str = ""
) -> Any:
    """Plot the learning curves of a run, with the point of the stop, and the sparsity over time.

    One panel each for the loss and for every other metric that has a training and a validation
    curve, and one for `sparsity` where a pruning logged it.

    Args:
        history: What `fit` returned, or its `history` dict of lists.
        stopper: The `kerasopt.callbacks.EarlyStopping` of the run: its best epoch, and where it
            stopped the run, are marked. Defaults to `None`.
        path: Where to write the plot, as PNG, SVG or PDF by its suffix. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: If `history` is neither.
        ValueError: If it holds no epoch.
        ImportError: If matplotlib is not installed.
    """
    values = getattr(history, "history", history)
    if not isinstance(values, Mapping):
        raise bad_type("history", "what `fit` returned, or its `history` dict", history)
    if not values or not any(len(curve) for curve in values.values()):
        raise bad_value("history", "a run of at least one epoch", values)
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'kerasopt[plot]'.") from error
    panels = _panels(values)
    figure = Figure(figsize=(4.8 * len(panels), 3.8), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, name in zip(axes, panels, strict=True):
        _draw(axis, name, values)
        _mark(axis, stopper)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(xlabel="epoch", title=name)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize="small")
    if title:
        figure.suptitle(title)
    if path is not None:
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=120)
    return figure


def _panels(values: Mapping[str, Sequence[float]]) -> list[str]:
    pairs = [name for name in values if f"val_{name}" in values and name != "loss"]
    loss = ["loss"] if "loss" in values else []
    rest = ["sparsity"] if "sparsity" in values else []
    return loss + pairs + rest or sorted(values)


def _draw(axis: Any, name: str, values: Mapping[str, Sequence[float]]) -> None:
    if name == "sparsity":
        epochs = range(1, len(values[name]) + 1)
        axis.plot(epochs, values[name], color="tab:green", marker=".", label="zeros in the kernels")
        axis.set_ylim(0, 1)
        return
    for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
        if key in values:
            axis.plot(range(1, len(values[key]) + 1), values[key], style, marker=".", label=label)


def _mark(axis: Any, stopper: Any) -> None:
    if stopper is None:
        return
    if stopper.best_epoch is not None:
        axis.axvline(
            stopper.best_epoch + 1,
            color="tab:gray",
            linestyle=":",
            label=f"best, epoch {stopper.best_epoch + 1}",
        )
    if stopper.stopped:
        axis.axvline(
            stopper.stopped_epoch + 1,
            color="tab:red",
            linewidth=1,
            label=f"stopped, epoch {stopper.stopped_epoch + 1}",
        )
