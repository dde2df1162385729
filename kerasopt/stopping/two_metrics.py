"""The base of the rules that compare a validation metric with a training metric."""

from typing import ClassVar

from kerasopt._checks import bad_type, bad_value
from kerasopt.stopping.monitoring import MonitoringRule


class TwoMetricsRule(MonitoringRule):
    """Base of the rules that watch a metric in validation and in training.

    Args:
        monitor: Name of the validation metric, or `None` for the callback's.
        train_monitor: Name of the training metric, or `None` for the same name without `val_`.
        mode: `"min"`, `"max"` or `"auto"`.

    Attributes:
        one_is_enough: Whether both may be the same metric. Defaults to `False`.

    Raises:
        ValueError: If they are the same metric and must not be.
    """

    one_is_enough: ClassVar[bool] = False

    def __init__(self, monitor: str | None, train_monitor: str | None, mode: str):
        if train_monitor is not None and not isinstance(train_monitor, str):
            raise bad_type("train_monitor", "the name of a metric", train_monitor)
        self.train_monitor = train_monitor
        super().__init__(monitor, mode)
        if monitor is not None and self.metric == self.train_metric and not self.one_is_enough:
            raise bad_value(
                "monitor",
                "a validation metric, which is compared with a training metric",
                monitor,
                "Name another one as `train_monitor`.",
            )

    @property
    def train_metric(self) -> str:
        """The name of the training metric."""
        return self.train_monitor or self.metric.removeprefix("val_")

    @property
    def watched(self) -> tuple[str, ...]:
        """The names of the validation and the training metric."""
        return (self.metric, self.train_metric)
