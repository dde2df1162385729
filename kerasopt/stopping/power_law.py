"""A power law fitted to a learning curve."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SMALLEST, _LARGEST = 0.01, 10.0  # of the exponent b: slower than any curve seen, and faster


class PowerLaw(NamedTuple):
    """The curve a t ** -b + c, with t = 1, 2, ...

    Attributes:
        a: Float >= 0, how far it falls.
        b: Float > 0, how fast.
        c: Float, where it ends.
    """

    a: float
    b: float
    c: float

    def __call__(self, t: float) -> float:
        """Give the value at t >= 1."""
        return float(self.a * t**-self.b + self.c)


def _linear_fit(y: NDArray[np.float64], b: float) -> tuple[PowerLaw, float]:
    """Give the best a >= 0 and c for one b, and the sum of squares that is left."""
    x = np.arange(1, len(y) + 1, dtype=float) ** -b
    dx, dy = x - x.mean(), y - y.mean()
    a = max(0.0, float(dx @ dy) / float(dx @ dx))
    c = float(y.mean() - a * x.mean())
    rest = y - a * x - c
    return PowerLaw(a, b, c), float(rest @ rest)


def fit_power_law(values: Sequence[float]) -> PowerLaw:
    """Fit a t ** -b + c to a falling curve by least squares, at t = 1, 2, ...

    For a fixed b the best a and c are those of a straight line in t ** -b, so only b is searched
    for: on a grid first, then by golden section around its best point (variable projection, Golub &
    Pereyra, 1973).

    Args:
        values: Three values or more.

    Returns:
        The `PowerLaw`, with a >= 0 and b between 0.01 and 10.

    Example:
    >>> law = fit_power_law([0.8 * t**-0.5 + 0.2 for t in range(1, 11)])
    >>> [round(value, 3) for value in law]
    [0.8, 0.5, 0.2]
    """
    first = float(values[0])
    y = np.asarray(values, float) - first  # a flat curve is then fitted without rounding
    grid = np.geomspace(_SMALLEST, _LARGEST, 61)
    left = [_linear_fit(y, float(b))[1] for b in grid]
    best = int(np.argmin(left))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    golden = (5**0.5 - 1) / 2
    while high - low > 1e-9 * high:
        inner, outer = high - golden * (high - low), low + golden * (high - low)
        if _linear_fit(y, inner)[1] <= _linear_fit(y, outer)[1]:
            high = outer
        else:
            low = inner
    found, rest = _linear_fit(y, (low + high) / 2)
    at_grid, at_grid_rest = _linear_fit(y, float(grid[best]))
    law = found if rest <= at_grid_rest else at_grid
    return law._replace(c=first + law.c)
