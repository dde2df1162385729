"""Non-finite values: stop at a NaN or an infinity."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import bad_type
from kerasopt._logs import not_finite, number_of
from kerasopt.stopping.rule import ALWAYS, Rule, Verdict, go_on

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
