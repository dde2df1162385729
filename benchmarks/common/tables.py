"""Markdown tables, and the figures in them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> list[str]:
    """Give a Markdown table whose first columns are text and the others numbers."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * text}{'--:|' * (len(heads) - text)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def met(whether: bool) -> str:
    """Give the word for a goal."""
    return "met" if whether else "MISSED"


def bootstrapped(ratio: Array) -> tuple[float, float]:
    """Give a 95 % interval of the median, by 4,000 bootstrap samples of the rounds."""
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(ratio, (4_000, len(ratio))), axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(low), float(high)


def quartiles(values: Array, digits: int) -> str:
    """Give the median and the middle half in words."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.{digits}f} | {low:.{digits}f} to {high:.{digits}f}"
