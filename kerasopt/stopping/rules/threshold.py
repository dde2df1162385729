"""Threshold: stop when the goal is reached."""

from typing import Any

from kerasopt._core.checks import number
from kerasopt.stopping.rules.monitor import MonitoringRule
from kerasopt.stopping.rules.rule import Verdict, go_on


class Threshold(MonitoringRule):
    """Stop when the metric has reached a value; the value itself is enough.

    Stop when E(t) <= value where lower is better, E(t) >= value where higher is (the
    `stopping_threshold` of PyTorch Lightning, but inclusive). A value that is not finite is passed
    over.

    | epoch | 0 | 1 | 2 |
    |---|---|---|---|
    | val_accuracy | 0.90 | 0.94 | 0.95: `Threshold(0.95)` stops |

    Args:
        value: Float, the goal.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `value` is not finite.

    Example:
    >>> rule = Threshold(0.95, monitor="val_accuracy")
    >>> [rule.update(t, {"val_accuracy": e}).stop for t, e in enumerate([0.90, 0.94, 0.95])]
    [False, False, True]
    """

    moments = frozenset({"epoch", "step"})

    def __init__(self, value: float, monitor: str | None = None, mode: str = "auto"):
        self.value = number("value", value)
        super().__init__(monitor, mode)

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        if self.error(value) > self.error(self.value):
            return go_on
        return self._stop(f"{self.metric} is {value:.4g} and has reached {self.value:g}")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"value": self.value, "monitor": self.monitor, "mode": self.mode}
