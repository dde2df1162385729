"""Slope: stop when the curve has gone flat."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt._core.checks import at_least, bad_value, number
from kerasopt.stopping.rules.monitor import MonitoringRule
from kerasopt.stopping.rules.rule import Verdict, go_on


def least_squares_slope(values: Sequence[float]) -> tuple[float, float]:
    """Fit a line through values at 0, 1, 2, ... and give its slope and the slope's standard error.

    Args:
        values: Two or more.

    Returns:
        The slope in units of the values a step, and its standard error, which is 0 for two values.

    Example:
    >>> slope, error = least_squares_slope([1.0, 0.8, 0.6, 0.4])
    >>> round(slope, 6), round(error, 6)
    (-0.2, 0.0)
    """
    y = np.asarray(values, float) - values[0]  # of a flat curve exactly 0
    x = np.arange(len(y)) - (len(y) - 1) / 2
    spread = float(x @ x)
    slope = float(x @ y) / spread
    if len(y) < 3:
        return slope, 0.0
    rest = y - y.mean() - slope * x
    return slope, math.sqrt(float(rest @ rest) / (len(y) - 2) / spread)


class Slope(MonitoringRule):
    r"""Stop when the least-squares slope over the last `window` epochs no longer falls.

    With the slope s = sum (t - t') (E(t) - E') / sum (t - t')^2 over the window (t', E' its means),
    E an error of which less is better, stop when s >= -delta - z SE(s), SE the slope's standard
    error and z = `errors`: with `errors=2` a slope that cannot be told from -delta counts as flat.
    Stop only with a full window. A metric to be maximised is negated first.

    | window of 4 | s | |
    |---|---|---|
    | 1.0, 0.8, 0.6, 0.4 | -0.2 | |
    | 0.8, 0.6, 0.4, 0.4 | -0.14 | |
    | 0.4, 0.4, 0.39, 0.4 | -0.001 | `Slope(4, delta=0.01)` stops |

    Args:
        window: Int >= 2, in epochs. Defaults to `10`.
        delta: Float >= 0, the least fall an epoch that is worth going on for. Defaults to `0.0`.
        errors: Float >= 0, z. Defaults to `0.0`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `window` is below 2, or `delta` or `errors` is negative.

    Example:
    >>> rule = Slope(4, delta=0.01)
    >>> values = [1.0, 0.8, 0.6, 0.4, 0.4, 0.39, 0.4]
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate(values)].index(True)
    6
    """

    def __init__(
        self,
        window: int = 10,
        delta: float = 0.0,
        errors: float = 0.0,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.window = at_least("window", window, 2)
        self.delta = number("delta", delta)
        if self.delta < 0.0:
            raise bad_value("delta", "a float >= 0", delta)
        self.errors = number("errors", errors)
        if self.errors < 0.0:
            raise bad_value("errors", "a float >= 0", errors)
        super().__init__(monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._last: list[float] = []

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        self._last = [*self._last, self.error(value)][-self.window :]
        if len(self._last) < self.window:
            return go_on
        slope, error = least_squares_slope(self._last)
        if slope < -self.delta - self.errors * error:
            return go_on
        rate = slope if self.resolved_mode() == "min" else -slope
        return self._stop(
            f"{self.metric} changed by {rate:.3g} an epoch over the last {self.window}; it is "
            f"{value:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "window": self.window,
            "delta": self.delta,
            "errors": self.errors,
            "monitor": self.monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {**super().get_state(), "last": list(self._last)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._last = list(state["last"])
