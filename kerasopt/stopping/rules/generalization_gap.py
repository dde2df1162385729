"""Generalization gap: stop when validation falls too far behind training."""

import math
from collections.abc import Mapping
from typing import Any

from kerasopt._core.logs import number_of
from kerasopt.stopping.rules.monitor import TwoMetricsRule, is_worse, one_bound, times_worse
from kerasopt.stopping.rules.rule import Verdict, go_on


class GeneralizationGap(TwoMetricsRule):
    r"""Stop when the validation metric is too much worse than the training metric.

    gap(t) = E(t) - E_tr(t), both as errors of which less is better; stop when gap > max_gap, or
    when the validation metric is `factor` times worse than the training metric. Keras's training
    metrics are means over an epoch with dropout on, so early in a run the gap is often negative. An
    epoch in which one of the two is missing or not finite is passed over.

    | epoch | 0 | 1 | 2 |
    |---|---|---|---|
    | accuracy | 0.80 | 0.90 | 0.99 |
    | val_accuracy | 0.80 | 0.88 | 0.87 |
    | gap | 0 | 0.02 | 0.12: `GeneralizationGap(0.1)` stops |

    Args:
        max_gap: Float, the largest gap that is still good. Defaults to `None`.
        factor: Float > 1, how many times worse the validation metric may be; a training metric of 0
            has no multiples and stops nothing. Defaults to `None`; exactly one of the two is given.
        monitor: Name of the validation metric. Defaults to the callback's, `val_loss` without one.
        train_monitor: Name of the training metric. Defaults to `monitor` without `val_`.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If not exactly one of `max_gap` and `factor` is given, or `factor` is not above
            1.

    Example:
    >>> rule = GeneralizationGap(0.1, monitor="val_accuracy")
    >>> values = [(0.80, 0.80), (0.90, 0.88), (0.99, 0.87)]
    >>> [rule.update(t, {"accuracy": a, "val_accuracy": b}).stop for t, (a, b) in enumerate(values)]
    [False, False, True]
    """

    def __init__(
        self,
        max_gap: float | None = None,
        factor: float | None = None,
        monitor: str | None = None,
        train_monitor: str | None = None,
        mode: str = "auto",
    ):
        self.max_gap, self.factor = one_bound("max_gap", max_gap, factor)
        super().__init__(monitor, train_monitor, mode)

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch and decide."""
        training = number_of(metrics, self.train_metric)
        self._training = math.nan if training is None else training
        return super().update(step, metrics)

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        if not math.isfinite(self._training):
            return go_on
        mode = self.resolved_mode()
        gap = self.error(value) - self.error(self._training)
        if self.factor is None:
            assert self.max_gap is not None
            stops, limit = gap > self.max_gap, f"more than {self.max_gap:g}"
        else:
            bound = times_worse(self._training, self.factor, mode)
            stops, limit = is_worse(value, bound, mode), f"more than {self.factor:g} times"
        if not stops:
            return go_on
        return self._stop(
            f"{self.metric} is {value:.4g} and {self.train_metric} {self._training:.4g}: worse by "
            f"{gap:.3g} ({limit})"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "max_gap": self.max_gap,
            "factor": self.factor,
            "monitor": self.monitor,
            "train_monitor": self.train_monitor,
            "mode": self.mode,
        }
