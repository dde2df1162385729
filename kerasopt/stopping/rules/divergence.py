"""Divergence and non-finite values: stop when the metric has run away, or is none any more."""

import math
from collections.abc import Mapping
from typing import Any

from kerasopt._core.checks import bad_type
from kerasopt._core.logs import not_finite, number_of
from kerasopt.stopping.rules.monitor import MonitoringRule, is_worse, one_bound, times_worse
from kerasopt.stopping.rules.rule import ALWAYS, Rule, Verdict, go_on


class Divergence(MonitoringRule):
    """Stop when the metric is worse than a value, or `factor` times worse than its best.

    Where lower is better stop when E(t) > value, or E(t) > factor E_opt(t); where higher is better
    when E(t) < value, or E(t) < E_opt(t) / factor (with a negative best the other way round; a
    best of 0 has no multiples and stops nothing). A value that is not finite has diverged
    (`divergence_threshold` and `check_finite` in PyTorch Lightning). It guards a run from the first
    step on; use it with `check=n` and `monitor="loss"` to stop within an epoch.

    | epoch | 0 | 1 | 2 |
    |---|---|---|---|
    | loss | 1.0 | 0.5 | 1.6: `Divergence(factor=3)` stops, 1.6 > 3 * 0.5 |

    Args:
        value: Float, the worst value that is still good. Defaults to `None`.
        factor: Float > 1, how many times worse than its best it may become. Defaults to `None`;
            exactly one of the two is given.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If not exactly one of `value` and `factor` is given, or `factor` is not above 1.

    Example:
    >>> rule = Divergence(factor=3, monitor="loss")
    >>> [rule.update(t, {"loss": e}).stop for t, e in enumerate([1.0, 0.5, 1.6])]
    [False, False, True]
    """

    moments = ALWAYS
    takes_non_finite = True

    def __init__(
        self,
        value: float | None = None,
        factor: float | None = None,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.value, self.factor = one_bound("value", value, factor)
        super().__init__(monitor, mode)

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        if not math.isfinite(value):
            return self._stop(f"{self.metric} is {value}")
        mode = self.resolved_mode()
        if self.factor is None:
            bound, what = self.value, f"{self.value:g}"
        else:
            assert self.best is not None
            bound = times_worse(self.best, self.factor, mode)
            what = f"{self.factor:g} times its best {self.best:.4g}"
        if not is_worse(value, bound, mode):
            return go_on
        return self._stop(f"{self.metric} is {value:.4g}, worse than {what}")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "value": self.value,
            "factor": self.factor,
            "monitor": self.monitor,
            "mode": self.mode,
        }


_NO_METRICS = ("sample_gradients", "batch_gradients")  # what a probe adds for other rules


class NonFinite(Rule):
    """Stop when a metric is NaN or infinite, or an entry of a metric with a number a class.

    It guards a run from the first step on; use it with `check=n` to stop within an epoch. Unlike
    `keras.callbacks.TerminateOnNaN` it looks at every metric, not at the loss alone, and the
    callback gives back the best weights.

    | epoch | 0 | 1 | 2 |
    |---|---|---|---|
    | loss | 1.0 | 0.5 | nan: `NonFinite()` stops |

    Args:
        monitor: Name of the metric, or `None` for all that the run reports. Defaults to `None`.

    Raises:
        TypeError: If `monitor` is no name.

    Example:
    >>> rule = NonFinite()
    >>> [rule.update(t, {"loss": e, "mae": 1.0}).stop for t, e in enumerate([1.0, float("nan")])]
    [False, True]
    """

    moments = ALWAYS

    def __init__(self, monitor: str | None = None):
        if monitor is not None and not isinstance(monitor, str):
            raise bad_type("monitor", "the name of a metric, or None for all", monitor)
        self.monitor = monitor

    @property
    def watched(self) -> tuple[str, ...]:
        """The metric's name, if one was given."""
        return () if self.monitor is None else (self.monitor,)

    def reset(self) -> None:
        """Do nothing: it remembers nothing."""

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the metrics of one more epoch (or step) and decide."""
        if self.monitor is None or self.monitor in metrics:
            names = metrics if self.monitor is None else [self.monitor]
            looked_at = {name: metrics[name] for name in names if name not in _NO_METRICS}
        else:
            looked_at = {self.monitor: number_of(metrics, self.monitor)}
        found = not_finite(looked_at)
        if not found:
            return go_on
        return self._stop(", ".join(f"{name} is {value}" for name, value in found.items()))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"monitor": self.monitor}

    def get_state(self) -> dict[str, Any]:
        """Give an empty state."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back an empty state."""
