"""Extrapolation: stop when the curve will not get better than it has been."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least, bad_value, number
from kerasopt.stopping.rules.monitor import MonitoringRule
from kerasopt.stopping.rules.rule import Verdict, go_on


class Extrapolation(MonitoringRule):
    r"""Stop when a power law fitted to the curve promises no more than was reached already.

    Fit E(t) = a t^-b + c (a >= 0, t = 1 for the first epoch) to the values so far, as errors of
    which less is better, and stop when what it leads to is not below E_opt by more than delta:
    c >= E_opt - delta, or with a `horizon` H of epochs a H^-b + c >= E_opt - delta (after Domhan,
    Springenberg & Hutter, 2015, "Speeding up Automatic Hyperparameter Optimization of Deep Neural
    Networks by Extrapolation of Learning Curves", one of whose eleven curves this is). A curve that
    turns up again has its fit above its best, and stops. A metric to be maximised is negated first;
    values that are not finite are passed over.

    | values (min_epochs=4) | c | E_opt - c | |
    |---|---|---|---|
    | 1 / t: 1, 0.5, 0.333, 0.25 | 0 | 0.25 | |
    | 1, 0.5, 0.333, 0.25, 0.25 | 0.106 | 0.144 | |
    | 1, 0.5, 0.333, 0.25, 0.25, 0.25 | 0.155 | 0.095 | `Extrapolation(0.1, min_epochs=4)` stops |

    Args:
        delta: Float >= 0, the least gain that is worth going on for. Defaults to `0.0`.
        min_epochs: Int >= 4, values to be seen before the first fit. Defaults to `10`.
        horizon: Int, the epoch (from 1) that training would end with, or `None` for the limit.
            Defaults to `None`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Attributes:
        law: The last fit, a `kerasopt.stopping.rules.extrapolation.PowerLaw`, or `None`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `delta` is negative, `min_epochs` below 4, or `horizon` below `min_epochs`.

    Example:
    >>> rule = Extrapolation(0.1, min_epochs=4)
    >>> values = [1.0, 0.5, 1 / 3, 0.25, 0.25, 0.25]
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate(values)].index(True)
    5
    >>> round(rule.law.c, 3)
    0.155
    """

    def __init__(
        self,
        delta: float = 0.0,
        min_epochs: int = 10,
        horizon: int | None = None,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.delta = number("delta", delta)
        if self.delta < 0.0:
            raise bad_value("delta", "a float >= 0", delta)
        self.min_epochs = at_least("min_epochs", min_epochs, 4)
        self.horizon = None if horizon is None else at_least("horizon", horizon, self.min_epochs)
        super().__init__(monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._errors: list[float] = []
        self.law: PowerLaw | None = None

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        assert self.best is not None
        self._errors.append(self.error(value))
        if len(self._errors) < self.min_epochs:
            return go_on
        self.law = fit_power_law(self._errors)
        end = self.law.c if self.horizon is None else self.law(self.horizon)
        if end < self.error(self.best) - self.delta:
            return go_on
        when = "in the long run" if self.horizon is None else f"in epoch {self.horizon}"
        return self._stop(
            f"{self.metric} will be {self.error(end):.4g} {when}, by a power law through "
            f"{len(self._errors)} epochs; its best was {self.best:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "delta": self.delta,
            "min_epochs": self.min_epochs,
            "horizon": self.horizon,
            "monitor": self.monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        law = None if self.law is None else list(self.law)
        return {**super().get_state(), "errors": list(self._errors), "law": law}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._errors = list(state["errors"])
        self.law = None if state["law"] is None else PowerLaw(*state["law"])


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
