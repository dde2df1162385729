"""The attributes of `keras.callbacks.EarlyStopping`, which users read and set."""

import operator
from typing import Any

import keras
import numpy as np

from kerasopt._core.checks import at_least, bad_type, bad_value, number, one_of
from kerasopt.stopping import watched_metrics
from kerasopt.stopping.best_weights import BestWeights
from kerasopt.stopping.rules.patience import Patience
from kerasopt.stopping.rules.rule import Rule

_LESS = (keras.ops.less, np.less, operator.lt)
_GREATER = (keras.ops.greater, np.greater, operator.gt)


class KerasAttributes:
    """Mixin of `EarlyStopping`: what Keras's callback of that name keeps in attributes.

    With `rules` the counter and its limits are those of the first `Patience` among them.

    Attributes:
        rule: The rule or combination that decides.
    """

    rule: Rule
    _mode: str
    _named: str | None
    _plain: Patience
    _best: Patience
    _weights: BestWeights

    def _counter(self) -> Patience:
        """Give the rule that counts epochs without improvement."""
        found = (leaf for leaf in self.rule.leaves() if isinstance(leaf, Patience))
        return next(found, self._plain)

    @property
    def monitor(self) -> str:
        """The name of the metric whose best epoch is restored."""
        return self._best.metric

    @monitor.setter
    def monitor(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise bad_type("monitor", "the name of a metric", value)
        self._named = self._plain.monitor = self._best.monitor = value
        watched_metrics.name_defaults(self.rule, self._best, value)
        watched_metrics.forget_directions(self.rule, self._best, self._mode)

    @property
    def mode(self) -> str:
        """`"min"`, `"max"` or `"auto"`."""
        return self._mode

    @mode.setter
    def mode(self, value: str) -> None:
        self._mode = self._plain.mode = self._best.mode = one_of(
            "mode", value, ("min", "max", "auto")
        )
        watched_metrics.forget_directions(self.rule, self._best, self._mode)

    @property
    def monitor_op(self) -> Any:
        """`keras.ops.less` or `keras.ops.greater`; `None` while the direction is not known."""
        try:
            mode = self._best.resolved_mode()
        except ValueError:
            return None
        return keras.ops.less if mode == "min" else keras.ops.greater

    @monitor_op.setter
    def monitor_op(self, value: Any) -> None:
        if value is not None and value not in (*_LESS, *_GREATER):
            raise bad_value(
                "monitor_op",
                "keras.ops.less or keras.ops.greater",
                value,
                'Set `mode` to "min" or "max", or write a rule of your own (`rules=`).',
            )
        self.mode = "auto" if value is None else "min" if value in _LESS else "max"

    @property
    def best(self) -> float | None:
        """The best value of the metric, `None` before the first."""
        return self._best.best

    @best.setter
    def best(self, value: float | None) -> None:
        value = None if value is None else float(value)
        self._best.best = self._counter().best = value

    best_value = best

    @property
    def best_epoch(self) -> int:
        """The epoch (from 0) of the best value; 0 before the first."""
        return self._best.best_step or 0

    @best_epoch.setter
    def best_epoch(self, value: int) -> None:
        self._best.best_step = self._counter().best_step = at_least("best_epoch", value, 0)

    @property
    def best_weights(self) -> Any:
        """The weights of the best epoch, in the order of `model.weights`, or `None`."""
        return self._weights.to_arrays()

    @best_weights.setter
    def best_weights(self, value: Any) -> None:
        self._weights.set(value)

    @property
    def wait(self) -> int:
        """Epochs without improvement so far."""
        return self._counter().waited

    @wait.setter
    def wait(self, value: int) -> None:
        self._counter().waited = at_least("wait", value, 0)

    @property
    def patience(self) -> int:
        """Epochs without improvement before it stops."""
        return self._counter().patience

    @patience.setter
    def patience(self, value: int) -> None:
        self._counter().patience = at_least("patience", value, 0)

    @property
    def min_delta(self) -> float:
        """The least change that counts as an improvement."""
        return self._counter().min_delta

    @min_delta.setter
    def min_delta(self, value: float) -> None:
        self._counter().min_delta = self._best.min_delta = abs(number("min_delta", value))

    @property
    def baseline(self) -> float | None:
        """What must be beaten within `patience` epochs, or `None`."""
        return self._counter().baseline

    @baseline.setter
    def baseline(self, value: float | None) -> None:
        self._counter().baseline = None if value is None else number("baseline", value)
