"""Figures: made without a screen, written whole."""

import io
import os
from functools import cache
from pathlib import Path
from typing import Any

from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.files import replacing

_SUFFIXES = (".png", ".svg", ".pdf")


def check_path(path: Any) -> None:
    """Check, before anything is drawn, that a plot can be written to `path`; `None` is fine.

    Raises:
        TypeError: If it is no path.
        ValueError: If its ending is another one, or its folder does not exist.
    """
    if path is None:
        return
    expected = f"a path that ends in one of {list(_SUFFIXES)}, in a folder that exists"
    if not isinstance(path, (str, os.PathLike)):
        raise bad_type("path", expected, path)
    target = Path(path)
    if target.suffix not in _SUFFIXES or not target.parent.is_dir():
        raise bad_value("path", expected, str(path))


def new_figure(width: float, height: float) -> Any:
    """Give an empty figure of this size in inches, which a notebook shows as it is.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    return _class()(figsize=(width, height), layout="constrained")


@cache
def _class() -> type:
    """Make the class of the figures: matplotlib is imported when the first one is drawn.

    A notebook knows how to show a figure only once `matplotlib.pyplot` has been imported there,
    which draws on a screen elsewhere.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'kerasopt[plot]'.") from error

    class ShownFigure(Figure):
        """A figure that is shown as an image."""

        def _repr_png_(self) -> bytes:
            image = io.BytesIO()
            self.savefig(image, format="png")
            return image.getvalue()

    return ShownFigure


def written(figure: Any, path: Any) -> Any:
    """Write a figure to `path`, whole or not at all, unless that is `None`; give the figure."""
    if path is not None:
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=120)
    return figure
