"""Generalization loss: stop when the validation error has risen too far above its best."""

import sys
from typing import Any

from kerasopt._checks import positive
from kerasopt.stopping.monitoring import MonitoringRule
from kerasopt.stopping.rule import Verdict, go_on

TINY = sys.float_info.min


def generalization_loss(error: float, lowest: float) -> float:
    """Give the generalization loss in percent, 100 (E / E_opt - 1).

    Args:
        error: E, of which less is better.
        lowest: E_opt, the lowest so far.

    Returns:
        Float >= 0. Where E_opt is negative the rise is divided by its absolute value.

    Example:
    >>> round(generalization_loss(1.05, 1.0), 6), round(generalization_loss(-0.9, -1.0), 6)
    (5.0, 10.0)
    """
    return 100.0 * (error - lowest) / max(abs(lowest), TINY)


class GeneralizationLoss(MonitoringRule):
    r"""Stop when the generalization loss exceeds `alpha` percent.

    GL(t) = 100 (E(t) / E_opt(t) - 1), with E the validation error and E_opt(t) the lowest E so far
    (Prechelt, 1998, "Early Stopping - But When?"). A metric to be maximised is negated first, so
    that GL is its fall below the best in percent of the best. A value that is not finite is passed
    over.

    | epoch | 0 | 1 | 2 | 3 |
    |---|---|---|---|---|
    | val_loss | 1.0 | 0.8 | 0.82 | 0.85 |
    | GL | 0 | 0 | 2.5 | 6.25: `GeneralizationLoss(5)` stops |

    Args:
        alpha: Float > 0, in percent. Smaller stops earlier; Prechelt tried 1 to 5. Defaults to
            `5.0`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `alpha` is not positive.

    Example:
    >>> rule = GeneralizationLoss(5.0, monitor="val_loss")
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.82, 0.85])]
    [False, False, False, True]
    """

    def __init__(self, alpha: float = 5.0, monitor: str | None = None, mode: str = "auto"):
        self.alpha = positive("alpha", alpha)
        super().__init__(monitor, mode)

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        assert self.best is not None
        loss = generalization_loss(self.error(value), self.error(self.best))
        if loss <= self.alpha:
            return go_on
        return self._stop(
            f"{self.metric} is {value:.4g}, {loss:.3g} % worse than its best {self.best:.4g} "
            f"(more than {self.alpha:g} %)"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"alpha": self.alpha, "monitor": self.monitor, "mode": self.mode}
