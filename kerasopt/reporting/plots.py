"""Plots of a run."""

import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.logs import array_of
from kerasopt.reporting.figures import check_path, new_figure, written

_SHARES = {"sparsity": "zeros in the kernels", "channel_sparsity": "channels masked"}


def plot_history(
    history: Any, stopper: Any = None, path: str | os.PathLike[str] | None = None, title: str = ""
) -> Any:
    """Plot the learning curves of a run, with the point of the stop, and the sparsity over time.

    One panel each for the loss and for every other metric that has a training and a validation
    curve, and one for `sparsity` and `channel_sparsity` where a pruning logged it. Epochs that do
    not count, as the sparsity had not its last value yet, or by the stopper's `start_from_epoch`,
    are shaded.

    Args:
        history: What `fit` returned, or its `history` dict of lists.
        stopper: The `EarlyStopping` of the run, kerasopt's or Keras's: its best epoch, and where it
            stopped the run, are marked, and its reason stands below. Defaults to `None`.
        path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
        title: Heading. Defaults to none.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `history` holds no epoch, or nothing can be written to `path`.
        ImportError: If matplotlib is not installed.
    """
    values = getattr(history, "history", history)
    if not isinstance(values, Mapping) or any(not hasattr(v, "__len__") for v in values.values()):
        raise bad_type("history", "what `fit` returned, or its `history` dict of lists", history)
    if not values or not any(len(curve) for curve in values.values()):
        raise bad_value("history", "a run of at least one epoch", values)
    if stopper is not None and not hasattr(stopper, "stopped_epoch"):
        raise bad_type("stopper", "the EarlyStopping of the run", stopper)
    check_path(path)
    longest = max(len(curve) for curve in values.values())
    epochs = list(getattr(history, "epoch", range(longest)))
    panels = _panels(values)
    before = _uncounted(values, stopper, epochs)
    figure = new_figure(4.8 * len(panels), 3.8)
    from matplotlib.ticker import MaxNLocator

    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, name in zip(axes, panels, strict=True):
        _draw(axis, name, values, epochs)
        _shade(axis, before)
        _mark(axis, stopper)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(xlabel="epoch", title=name)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize="small")
    if title:
        figure.suptitle(title)
    if reason := getattr(stopper, "reason", ""):  # Keras's has none
        lines = textwrap.wrap(f"Stopped: {reason}", width=60 * len(panels))
        figure.supxlabel("\n".join(lines), fontsize="small", color="tab:red")
    return written(figure, path)


def epochs_of(curve: Sequence[float], epochs: Sequence[int]) -> list[int]:
    """Give the epochs (from 1) to which the values of a curve belong.

    With `validation_freq=f` Keras keeps fewer validation values than epochs, and not which epochs
    they are of: those whose number is a multiple of `f`.

    Args:
        curve: The values.
        epochs: All epochs of the run, from 0.

    Example:
    >>> epochs_of([0.5, 0.4], range(7)), epochs_of([0.5, 0.4], [4, 5])
    ([3, 6], [5, 6])
    """
    numbers = [epoch + 1 for epoch in epochs]
    for frequency in range(1, max(numbers) + 1):
        found = [number for number in numbers if number % frequency == 0]
        if len(found) == len(curve):
            return found
    return numbers[: len(curve)]


def _panels(values: Mapping[str, Sequence[float]]) -> list[str]:
    pairs = [name for name in values if f"val_{name}" in values and name != "loss"]
    loss = ["loss"] if "loss" in values else []
    rest = [name for name in _SHARES if name in values]
    return loss + pairs + rest or sorted(values)


def _draw(
    axis: Any, name: str, values: Mapping[str, Sequence[float]], epochs: Sequence[int]
) -> None:
    if name in _SHARES:
        x, label = epochs_of(values[name], epochs), _SHARES[name]
        axis.plot(x, values[name], color="tab:green", marker=".", label=label)
        axis.set_ylim(0, 1)
        return
    for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
        if key in values:
            # A metric may have a number a class: a line each, one entry in the legend.
            curves = np.asarray([array_of(value) for value in values[key]], float)
            curves = curves.reshape(len(curves), -1)
            lines = axis.plot(epochs_of(values[key], epochs), curves, style, marker=".")
            many = f", each of {len(lines)}" if len(lines) > 1 else ""
            lines[0].set_label(label + many)


def _uncounted(
    values: Mapping[str, Sequence[float]], stopper: Any, epochs: Sequence[int]
) -> list[int]:
    """Give the epochs (from 1) before every sparsity had its last value, or that it passed over."""
    begins = getattr(stopper, "start_from_epoch", 0) or 0
    for name in _SHARES:
        shares = values.get(name, ())
        pairs = list(zip(epochs, shares, strict=False))
        late = [epoch for epoch, share in pairs if abs(share - shares[-1]) > 1e-6]
        begins = max([begins, *(epoch + 1 for epoch in late)])
    return [epoch + 1 for epoch in epochs if epoch < begins]


def _shade(axis: Any, uncounted: Sequence[int]) -> None:
    if uncounted:
        axis.axvspan(
            uncounted[0] - 0.5,
            uncounted[-1] + 0.5,
            color="tab:gray",
            alpha=0.15,
            linewidth=0,
            label="does not count yet",
        )


def _mark(axis: Any, stopper: Any) -> None:
    if stopper is None:
        return
    stopped = getattr(stopper, "stopped", stopper.stopped_epoch > 0)  # Keras's has none
    if getattr(stopper, "best", 0.0) is not None:
        axis.axvline(
            stopper.best_epoch + 1,
            color="tab:gray",
            linestyle=":",
            label=f"best, epoch {stopper.best_epoch + 1}",
        )
    if stopped:
        axis.axvline(
            stopper.stopped_epoch + 1,
            color="tab:red",
            linewidth=1,
            label=f"stopped, epoch {stopper.stopped_epoch + 1}",
        )
