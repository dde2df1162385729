"""What a stopping rule is: metrics in, a verdict out, no Keras in it."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kerasopt._checks import bad_type, did_you_mean, one_of

_LOWER = re.compile(
    r"loss|error|perplexity|divergence|crossentropy|hinge|(^|_)(mse|mae|mape|msle|rmse|nll)$"
)
_HIGHER = re.compile(r"acc|auc|precision|recall|f1|fbeta|iou|r2|similarity|(^|_)(ap|map|dice)$")


@dataclass(frozen=True)
class Verdict:
    """What a rule decided.

    Attributes:
        stop: Whether training should stop.
        reason: Why, in words; empty if it goes on.
    """

    stop: bool
    reason: str = ""


go_on = Verdict(stop=False)


def stop(reason: str) -> Verdict:
    """Give the verdict to stop, with its reason."""
    return Verdict(stop=True, reason=reason)


def direction(name: str) -> str | None:
    """Tell from a metric's name whether lower or higher is better.

    Returns:
        `"min"`, `"max"`, or `None` where the name does not tell.

    Example:
    >>> [direction(name) for name in ("val_loss", "val_accuracy", "rmse", "val_my_score")]
    ['min', 'max', 'min', None]
    """
    if _LOWER.search(name.lower()):
        return "min"
    return "max" if _HIGHER.search(name.lower()) else None


class Rule(ABC):
    """Base of all stopping rules; usable outside Keras.

    Example:
    >>> from kerasopt.stopping import Patience
    >>> rule = Patience(1, monitor="val_loss")
    >>> rule.reset()
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.9])]
    [False, False, True]
    """

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: a new run begins."""

    @abstractmethod
    def update(self, step: int, metrics: Mapping[str, float]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide.

        Args:
            step: Index of the epoch or step.
            metrics: Metric values by name. A rule whose metric is missing goes on unchanged.
        """

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a rule from what `get_config` gave."""
        return cls(**config)

    @abstractmethod
    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""

    @abstractmethod
    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""


class MonitoringRule(Rule):
    """Base of the rules that watch the best value of one metric.

    Args:
        monitor: Name of the metric, or `None` for the callback's (`val_loss` without one).
        mode: `"min"`, `"max"` or `"auto"`, which tells from the metric's name.
        min_delta: Float >= 0, the least change that counts as better.

    Attributes:
        best: The best finite value so far, `None` before the first.
        best_step: When it was seen.
    """

    best: float | None
    best_step: int | None

    def __init__(self, monitor: str | None, mode: str, min_delta: float = 0.0):
        if monitor is not None and not isinstance(monitor, str):
            raise bad_type("monitor", "the name of a metric", monitor)
        self.monitor = monitor
        self.mode = one_of("mode", mode, ("min", "max", "auto"))
        self.min_delta = min_delta
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        self.best = None
        self.best_step = None

    @property
    def metric(self) -> str:
        """The name of the metric that is watched."""
        return self.monitor or "val_loss"

    def resolved_mode(self) -> str:
        """Give `"min"` or `"max"`.

        Raises:
            ValueError: If the mode is `"auto"` and the metric's name does not tell.
        """
        mode = direction(self.metric) if self.mode == "auto" else self.mode
        if mode is None:
            raise ValueError(
                f"Cannot tell from the name {self.metric!r} whether lower or higher is better. "
                'Pass `mode="min"` or `mode="max"`.'
            )
        return mode

    def is_better(self, value: float, than: float | None) -> bool:
        """Tell whether `value` is better than `than` by more than `min_delta`; NaN never is."""
        if not math.isfinite(value):
            return False
        if than is None:
            return True
        gain = than - value if self.resolved_mode() == "min" else value - than
        return gain > self.min_delta

    def update(self, step: int, metrics: Mapping[str, float]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide."""
        value = metrics.get(self.metric)
        if value is None:
            return go_on
        value = float(value)
        improved = self.is_better(value, self.best)
        if improved:
            self.best, self.best_step = value, step
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


def missing_metric(name: str, present: Mapping[str, Any]) -> ValueError:
    """Give the error for a metric that a run does not report."""
    names = sorted(present)
    return ValueError(
        f"Invalid value for argument `monitor`. Expected one of the metrics of this run: {names}. "
        f"Received: monitor={name!r}. {did_you_mean(name, names)}".rstrip()
    )
