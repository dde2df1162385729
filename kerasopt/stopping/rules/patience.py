"""Patience: stop when nothing has got better for a while."""

import math
from collections.abc import Mapping
from typing import Any

from kerasopt._core.checks import at_least, flag, fraction, number
from kerasopt._core.logs import number_of
from kerasopt.stopping.rules.monitor import MonitoringRule
from kerasopt.stopping.rules.rule import Verdict, go_on


class Patience(MonitoringRule):
    r"""Stop when the metric has not improved for `patience` epochs.

    The counter w grows by one an epoch; an improvement (by more than `min_delta` over the best, and
    where there is a baseline also over that) sets it to 0; stop when w >= max(patience, 1). This is
    the rule of `keras.callbacks.EarlyStopping`, with two differences: a value that is not finite is
    never the best, and a run that never beats the baseline stops even while it improves.

    | epoch | 0 | 1 | 2 | 3 |
    |---|---|---|---|---|
    | val_loss | 1.0 | 0.8 | 0.81 | 0.85 |
    | w | 0 | 0 | 1 | 2: `Patience(2)` stops |

    With `smoothing` b the values compared are m(0) = x(0), m(t) = b m(t-1) + (1 - b) x(t), so a
    lucky epoch is no best.

    Args:
        patience: Int >= 0, in epochs. `0` and `1` both stop at the first epoch that is no better.
            Defaults to `0`.
        min_delta: Float; its absolute value is the least change that counts. Defaults to `0.0`.
        relative: Whether `min_delta` is a share of the best value so far, so that `0.01` is one
            percent of it. Defaults to `False`.
        smoothing: Float in [0, 1), the weight b of the past; `None` for none. Defaults to `None`.
        cooldown: Int >= 0: so many epochs after each improvement that sets w to 0, and after each
            fall of `learning_rate` among the metrics, use up no patience. Such a fall also sets w
            to 0, as Keras's `ReduceLROnPlateau` does; with `0` it does nothing. Defaults to `0`.
        baseline: Float that must be beaten within `patience` epochs, or `None`. Defaults to `None`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `patience` is negative or a number is not finite.

    Example:
    >>> rule = Patience(2, monitor="val_loss")
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.81, 0.85])]
    [False, False, False, True]
    >>> rule.best, rule.best_step
    (0.8, 1)
    """

    takes_non_finite = True

    def __init__(
        self,
        patience: int = 0,
        min_delta: float = 0.0,
        relative: bool = False,
        smoothing: float | None = None,
        cooldown: int = 0,
        baseline: float | None = None,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.patience = at_least("patience", patience, 0)
        self.min_delta = abs(number("min_delta", min_delta))
        self.relative = flag("relative", relative)
        self.smoothing = None if smoothing is None else fraction("smoothing", smoothing)
        self.cooldown = at_least("cooldown", cooldown, 0)
        self.baseline = None if baseline is None else number("baseline", baseline)
        super().__init__(monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self.waited = 0
        self._smoothed: float | None = None
        self._cooling = 0
        self._learning_rate: float | None = None

    def is_better(self, value: float, than: float | None) -> bool:
        """Tell whether `value` is better than `than` by more than `min_delta`; NaN never is."""
        if not math.isfinite(value):
            return False
        if than is None:
            return True
        least = self.min_delta * abs(than) if self.relative else self.min_delta
        return self.error(value) + least < self.error(than)  # rounds as Keras does

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide."""
        value = number_of(metrics, self.metric)
        if value is None:
            return go_on
        if self.cooldown:
            self._heed(number_of(metrics, "learning_rate", "cooldown"))
        if self.smoothing is not None and math.isfinite(value):
            before = value if self._smoothed is None else self._smoothed
            # In this form a flat curve stays flat to the last bit.
            value = self._smoothed = before + (1 - self.smoothing) * (value - before)
        return super().update(step, {self.metric: value})

    def _heed(self, rate: float | None) -> None:
        if rate is None:
            return
        if self._learning_rate is not None and rate < self._learning_rate:
            self.waited, self._cooling = 0, self.cooldown
        self._learning_rate = rate

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:
        if improved and (self.baseline is None or self.is_better(value, self.baseline)):
            self.waited, self._cooling = 0, self.cooldown
            return go_on
        if self._cooling:
            self._cooling -= 1
            return go_on
        self.waited += 1
        if self.waited < max(self.patience, 1) or step == 0:
            return go_on
        return self._stop(self._why(value, improved))

    def _why(self, value: float, improved: bool) -> str:
        if self.best is None:
            return f"{self.metric} was not finite for {self.waited} epochs"
        if improved or (self.baseline is not None and not self.is_better(self.best, self.baseline)):
            return (
                f"{self.metric} did not beat the baseline {self.baseline:.4g} "
                f"within {self.waited} epochs; its best was {self.best:.4g}"
            )
        share = " of it" if self.relative else ""
        least = f" by more than {self.min_delta:g}{share}" if self.min_delta else ""
        smoothed = "smoothed " if self.smoothing else ""
        return (
            f"{smoothed}{self.metric} has not improved on {self.best:.4g}{least} for "
            f"{self.waited} epochs; it is {value:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "patience": self.patience,
            "min_delta": self.min_delta,
            "relative": self.relative,
            "smoothing": self.smoothing,
            "cooldown": self.cooldown,
            "baseline": self.baseline,
            "monitor": self.monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {
            **super().get_state(),
            "waited": self.waited,
            "smoothed": self._smoothed,
            "cooling": self._cooling,
            "learning_rate": self._learning_rate,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self.waited = state["waited"]
        self._smoothed = state["smoothed"]
        self._cooling = state["cooling"]
        self._learning_rate = state["learning_rate"]
