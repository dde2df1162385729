"""The bases of the rules that watch metrics: names, directions, bests, bounds."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from kerasopt._core.checks import bad_type, bad_value, did_you_mean, number, one_of
from kerasopt._core.logs import direction, metric_of, number_of, scalars
from kerasopt.stopping.rules.rule import Rule, Verdict, go_on


def one_bound(
    name: str, value: float | None, factor: float | None
) -> tuple[float | None, float | None]:
    """Check that either a bound of that name or a factor > 1 is given.

    Raises:
        TypeError: If it is not a number.
        ValueError: If both are given, or neither, or the factor is not above 1.
    """
    if (value is None) == (factor is None):
        given = {name: value, "factor": factor}
        raise bad_value(name, f"a float, or a float for `factor` and none for `{name}`", given)
    if factor is not None and number("factor", factor) <= 1.0:
        raise bad_value("factor", "a float > 1", factor)
    return (
        None if value is None else number(name, value),
        None if factor is None else float(factor),
    )


def times_worse(reference: float, factor: float, mode: str) -> float | None:
    """Give the value that is `factor` times worse than `reference`.

    Args:
        reference: A metric's value.
        factor: Float > 1.
        mode: `"min"` or `"max"`.

    Returns:
        `reference * factor` where that is worse, else `reference / factor`; `None` for 0, of which
        no factor makes anything else.

    Example:
    >>> times_worse(0.2, 3.0, "min"), times_worse(0.9, 2.0, "max"), times_worse(-1.0, 2.0, "min")
    (0.6000000000000001, 0.45, -0.5)
    """
    if reference == 0.0:
        return None
    return reference * factor if (reference > 0.0) == (mode == "min") else reference / factor


def is_worse(value: float, bound: float | None, mode: str) -> Any:
    """Tell whether a value is beyond a bound; no bound is never crossed."""
    return bound is not None and (value > bound if mode == "min" else value < bound)


class MonitoringRule(Rule):
    """Base of the rules that watch the best value of one metric.

    Derive from it and write `_decide` and `get_config`; a rule with a memory of its own also writes
    `reset`, `get_state` and `set_state`.

    Args:
        monitor: Name of the metric, or of an entry of one that is an array, such as
            `"val_f1_score[1]"`; `None` for the callback's (`val_loss` without one).
        mode: `"min"`, `"max"` or `"auto"`, which tells from the metric's name.

    Attributes:
        best: The best finite value so far, `None` before the first.
        best_step: When it was seen.
        default_monitor: The metric that is watched where `monitor` is `None`.
        known_mode: The direction that is used where `mode` is `"auto"` and somebody knows better
            than the name, or `None`.
        takes_non_finite: Whether `_decide` is given values that are not finite, too.
    """

    best: float | None
    best_step: int | None
    takes_non_finite: ClassVar[bool] = False

    def __init__(self, monitor: str | None, mode: str):
        if monitor is not None and not isinstance(monitor, str):
            raise bad_type("monitor", "the name of a metric", monitor)
        self.monitor = monitor
        self.mode = one_of("mode", mode, ("min", "max", "auto"))
        self.default_monitor = "val_loss"
        self.known_mode: str | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        self.best = None
        self.best_step = None

    @property
    def metric(self) -> str:
        """The name of the metric that is watched."""
        return self.monitor or self.default_monitor

    @property
    def watched(self) -> tuple[str, ...]:
        """The metric's name."""
        return (self.metric,)

    def resolved_mode(self) -> str:
        """Give `"min"` or `"max"`.

        Raises:
            ValueError: If the mode is `"auto"` and the metric's name does not tell.
        """
        mode = self.mode if self.mode != "auto" else self.known_mode or direction(self.metric)
        if mode is None:
            raise ValueError(
                f"Cannot tell from the name {self.metric!r} whether lower or higher is better. "
                'Pass `mode="min"` or `mode="max"`.'
            )
        return mode

    def error(self, value: float) -> float:
        """Give a value as an error, of which less is better: a metric to be maximised negated."""
        return value if self.resolved_mode() == "min" else -value

    def is_better(self, value: float, than: float | None) -> bool:
        """Tell whether `value` is better than `than`; NaN never is."""
        if not math.isfinite(value):
            return False
        return than is None or self.error(than) - self.error(value) > 0.0

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide."""
        value = number_of(metrics, self.metric)
        if value is None:
            return go_on
        if not (self.takes_non_finite or math.isfinite(value)):
            return go_on
        improved = self.is_better(value, self.best)
        if improved:
            self.best, self.best_step = value, int(step)
        return self._decide(step, value, improved)

    @abstractmethod
    def _decide(self, step: int, value: float, improved: bool) -> Verdict:
        """Decide, `best` being up to date."""

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {"best": self.best, "best_step": self.best_step}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        self.best = state["best"]
        self.best_step = state["best_step"]


def missing_metric(name: str, present: Mapping[str, Any], why: str = "") -> ValueError:
    """Give the error for a metric that a run does not report.

    Args:
        name: The metric.
        present: The metrics that there are.
        why: What is known about the cause. Defaults to nothing.
    """
    whole = metric_of(name)
    names = sorted(scalars({whole: present[whole]}) if whole in present else present)
    return ValueError(
        f"Invalid value for argument `monitor`. Expected one of the metrics of this run: {names}. "
        f"Received: monitor={name!r}. {why or did_you_mean(name, names)}".rstrip()
        + " A metric that a callback reports is seen only by the callbacks after it."
    )


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
