"""Training strips: the training error over a few epochs, and how much it still falls."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._checks import at_least
from kerasopt._logs import number_of
from kerasopt.stopping.two_metrics import TwoMetricsRule

TINY = sys.float_info.min


def progress(errors: Sequence[float]) -> float:
    """Give the training progress over a strip in parts per thousand (Prechelt, 1998).

    P_k = 1000 (sum of E_tr over the strip / (k min of E_tr over the strip) - 1): how much larger
    the average training error of the strip was than its least. Where the least is negative the
    difference is divided by its absolute value.

    Args:
        errors: The k training errors of the strip.

    Returns:
        Float >= 0.

    Example:
    >>> round(progress([1.2, 1.1, 1.0, 1.0, 1.0]), 6), progress([0.5, 0.5])
    (60.0, 0.0)
    """
    least = min(errors)
    rise = max(sum(errors) / len(errors) - least, 0.0)  # below 0 by rounding only
    return 1000.0 * rise / max(abs(least), TINY)


class StripRule(TwoMetricsRule):
    """Base of the rules that look at training strips of `strip` epochs.

    Epochs are counted by their training values; those that are not finite are passed over.

    Args:
        strip: Int >= 2, epochs in a strip.
        monitor: Name of the validation metric, or `None` for the callback's.
        train_monitor: Name of the training metric, or `None` for the same name without `val_`.
        mode: `"min"`, `"max"` or `"auto"`.
    """

    def __init__(self, strip: int, monitor: str | None, train_monitor: str | None, mode: str):
        self.strip = at_least("strip", strip, 2)  # one epoch alone makes no progress
        super().__init__(monitor, train_monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._errors: list[float] = []

    def _strip_progress(self, metrics: Mapping[str, Any]) -> float | None:
        """Take one more training value; give the progress of the strip that it ends, if any."""
        value = number_of(metrics, self.train_metric)
        if value is None or not math.isfinite(value):
            return None
        self._errors.append(self.error(value))
        if len(self._errors) < self.strip:
            return None
        strip, self._errors = self._errors, []
        return progress(strip)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "strip": self.strip,
            "monitor": self.monitor,
            "train_monitor": self.train_monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {**super().get_state(), "errors": list(self._errors)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._errors = list(state["errors"])
