"""The plot of `benchmarks.search`: best value so far, over trials and over epochs."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.search.curves import best_so_far, by_epochs, finals
from benchmarks.search.parts import ASHA, BAYESIAN, RANDOM, TPE

COLOURS = {
    RANDOM: "tab:gray",
    TPE: "tab:blue",
    "random, KerasTuner": "tab:brown",
    BAYESIAN: "tab:orange",
    **dict(zip(ASHA, ("tab:red", "tab:purple"), strict=True)),
}


def plot(record: dict[str, Any], path: Path) -> None:
    """Draw what was measured of functions and of the real task."""
    panels = []
    for name, kinds in record.get("surrogates", {}).get("curves", {}).items():
        lines = {
            kind: np.array([best_so_far(run["values"]) for run in runs.values()])
            for kind, runs in kinds.items()
        }
        panels.append((name, "trials", "value", lines))
    if "task" in record:
        found = record["task"]
        length = found["trials"] * found["epochs"]
        lines = {
            kind: np.array([best_so_far(finals(run)) for run in found["runs"][kind]])
            for kind in (RANDOM, TPE)
        }
        panels.append((f"HyperCNN on {found['data']}", "trials", "validation loss", lines))
        lines = {
            kind: np.array([by_epochs(run, length) for run in runs])
            for kind, runs in found["runs"].items()
        }
        panels.append((f"HyperCNN on {found['data']}", "epochs", "validation loss", lines))
    if not panels:
        return
    figure = Figure(figsize=(5.2 * min(2, len(panels)), 3.8 * ((len(panels) + 1) // 2)))
    for place, (title, x, y, lines) in enumerate(panels, start=1):
        axis = figure.add_subplot((len(panels) + 1) // 2, min(2, len(panels)), place)
        for kind, values in lines.items():
            _band(axis, kind, values)
        axis.set_xlabel(x)
        axis.set_ylabel(f"best {y} so far")
        if y == "validation loss":
            axis.set_yscale("log")
        axis.set_title(title, fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _band(axis: Any, kind: str, values: Any) -> None:
    """Draw the median and the quartiles where all of them are finite."""
    with np.errstate(invalid="ignore"):
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0, method="nearest")
    x = np.arange(1, values.shape[1] + 1)
    known = np.isfinite(high)
    axis.plot(x[known], middle[known], color=COLOURS[kind], label=kind)
    axis.fill_between(x[known], low[known], high[known], color=COLOURS[kind], alpha=0.15)
