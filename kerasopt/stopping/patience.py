"""Patience: stop when nothing has got better for a while."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import at_least, number
from kerasopt.stopping.rule import MonitoringRule, Verdict, go_on, stop


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

    Args:
        patience: Int >= 0, in epochs. `0` and `1` both stop at the first epoch that is no better.
            Defaults to `0`.
        min_delta: Float; its absolute value is the least change that counts. Defaults to `0.0`.
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

    def __init__(
        self,
        patience: int = 0,
        min_delta: float = 0.0,
        baseline: float | None = None,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.patience = at_least("patience", patience, 0)
        self.baseline = None if baseline is None else number("baseline", baseline)
        super().__init__(monitor, mode, abs(number("min_delta", min_delta)))

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self.waited = 0

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:
        self.waited += 1
        if improved and (self.baseline is None or self.is_better(value, self.baseline)):
            self.waited = 0
        if self.waited < max(self.patience, 1) or step == 0:
            return go_on
        if self.best is None:
            return stop(f"{self.metric} was not finite for {self.waited} epochs")
        if improved or (self.baseline is not None and not self.is_better(self.best, self.baseline)):
            return stop(
                f"{self.metric} did not beat the baseline {self.baseline:.4g} "
                f"within {self.waited} epochs; its best was {self.best:.4g}"
            )
        least = f" by more than {self.min_delta:g}" if self.min_delta else ""
        return stop(
            f"{self.metric} has not improved on {self.best:.4g}{least} for {self.waited} epochs; "
            f"it is {value:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "patience": self.patience,
            "min_delta": self.min_delta,
            "baseline": self.baseline,
            "monitor": self.monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {**super().get_state(), "waited": self.waited}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self.waited = state["waited"]
