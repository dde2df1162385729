"""Low progress: stop when the training error hardly falls any more."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import positive
from kerasopt.stopping.rule import Verdict, go_on
from kerasopt.stopping.strips import StripRule


class LowProgress(StripRule):
    r"""Stop at the end of a strip of epochs when the training progress P is below `threshold`.

    P_k(t) = 1000 (sum of E_tr over the strip / (k min of E_tr over the strip) - 1), in parts per
    thousand, k = `strip` (Prechelt, 1998, "Early Stopping - But When?", who stopped at P_5 < 0.1).
    It needs no validation data. A metric to be maximised is negated first.

    | strip of losses | P_5 | |
    |---|---|---|
    | 1.2, 1.1, 1.0, 1.0, 1.0 | 60 | |
    | 0.50002, 0.50001, 0.5, 0.5, 0.5 | 0.012 | `LowProgress()` stops |

    Args:
        threshold: Float > 0, in parts per thousand. Defaults to `0.1`.
        strip: Int >= 2, k. Defaults to `5`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one; only its
            name without `val_` is looked at.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `threshold` is not positive or `strip` is below 2.

    Example:
    >>> rule = LowProgress()
    >>> values = [1.2, 1.1, 1.0, 1.0, 1.0, 0.50002, 0.50001, 0.5, 0.5, 0.5]
    >>> [rule.update(t, {"loss": e}).stop for t, e in enumerate(values)].index(True)
    9
    """

    def __init__(
        self,
        threshold: float = 0.1,
        strip: int = 5,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.threshold = positive("threshold", threshold)
        super().__init__(strip, monitor, None, mode)

    one_is_enough = True

    @property
    def watched(self) -> tuple[str, ...]:
        """The name of the training metric."""
        return (self.train_metric,)

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the metrics of one more epoch and decide."""
        progress = self._strip_progress(metrics)
        if progress is None or progress >= self.threshold:
            return go_on
        return self._stop(
            f"{self.train_metric} progressed by {progress:.3g} per thousand in {self.strip} epochs "
            f"(less than {self.threshold:g})"
        )

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        return go_on

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        config = {"threshold": self.threshold, **super().get_config()}
        del config["train_monitor"]
        return config
