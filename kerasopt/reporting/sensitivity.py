"""A picture of which layers do not bear quantization."""

import math
import os
from typing import Any

import numpy as np

from kerasopt._core.checks import at_least, bad_type
from kerasopt.reporting.figures import check_path, new_figure, written

_COLOUR = "#0072b2"


def plot_sensitivity(
    found: Any, path: str | os.PathLike[str] | None = None, most: int = 30, title: str = ""
) -> Any:
    """Plot the error that each layer contributes, the most sensitive first.

    Args:
        found: What `kerasopt.export.sensitivity` returned.
        path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
        most: Most layers to show. Defaults to `30`.
        title: Heading. Defaults to the mode.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If nothing can be written to `path`.
        ImportError: If matplotlib is not installed.
    """
    check_path(path)
    at_least("most", most, 1)
    if not hasattr(found, "layers") or not hasattr(found, "sqnr_db"):
        raise bad_type("found", "what `kerasopt.export.sensitivity` returned", found)
    rows = list(found.layers)[:most]
    figure = new_figure(7.0, max(2.2, 0.28 * len(rows) + 1.3))
    axis = figure.subplots()
    places = np.arange(len(rows))
    axis.barh(places, [row.share for row in rows], color=_COLOUR)
    for place, row in zip(places, rows, strict=True):
        said = f"{row.sqnr_db:.0f} dB"
        if not math.isfinite(row.sqnr_db):
            said = "no change" if row.sqnr_db > 0 else "does not run"
        axis.text(row.share + 0.01, place, said, va="center", fontsize="small")
    axis.set_yticks(places, [row.layer for row in rows], fontsize="small")
    left = len(found.layers) - len(rows)
    rest = f"\n({left} more layers not shown)" if left else ""
    axis.set(
        xlim=(0, 1.12),
        xlabel=f"share of the noise, and dB with this layer alone quantized{rest}",
        title=title or f"{found.mode}, all layers: {found.sqnr_db:.0f} dB",
    )
    axis.invert_yaxis()
    return written(figure, path)
