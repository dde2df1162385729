"""Gradient evidence: stop when the gradient is no more than noise. No validation set needed."""

import math
from collections.abc import Mapping
from typing import Any

from kerasopt._checks import at_least
from kerasopt.stopping.gradients import GradientMoments, evidence, moments
from kerasopt.stopping.rule import Rule, Verdict, go_on


class GradientEvidence(Rule):
    r"""Stop when the gradient of a batch cannot be told from the noise of its samples.

    With g the mean gradient of B samples, g_i theirs, D the number of parameters and
    var_k = (sum_i g_ik^2 - B g_k^2) / (B - 1), stop when
    1 - (B / D) sum_k g_k^2 / (var_k + 1e-5) > 0 (Mahsereci, Balles, Lassner & Hennig, 2017, "Early
    Stopping without a Validation Set"). Meant for SGD without momentum, and for models that can be
    trained to the noise; it needs no validation data, so all data may be trained on. Gradients
    that are not finite are passed over.

    The callback computes the gradients on the batch that it is given as `probe=(x, y)`: a hundred
    training samples or so. Elsewhere give them as `metrics["sample_gradients"]`, an array of shape
    (B, D) or their `GradientMoments`.

    | gradients of two samples | g | var | evidence | |
    |---|---|---|---|---|
    | 1.0, 3.0 | 2.0 | 2.0 | -3.0 | |
    | -1.0, 1.1 | 0.05 | 2.205 | 0.998 | `GradientEvidence()` stops |

    Args:
        patience: Int >= 1, in how many updates running it must be positive. Defaults to `1`.

    Attributes:
        value: The last evidence, `None` before the first.

    Raises:
        TypeError: If `patience` is no integer.
        ValueError: If it is below 1.

    Example:
    >>> rule = GradientEvidence()
    >>> [rule.update(t, {"sample_gradients": g}).stop
    ...  for t, g in enumerate([[[1.0], [3.0]], [[-1.0], [1.1]]])]
    [False, True]
    >>> round(rule.value, 3)
    0.998
    """

    needs = "sample_gradients"
    name = "gradient_evidence"

    def __init__(self, patience: int = 1):
        self.patience = at_least("patience", patience, 1)
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        self.value: float | None = None
        self._positive = 0

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the gradients of one more epoch (or step) and decide."""
        given = metrics.get("sample_gradients")
        if given is None:
            return go_on
        value = evidence(given if isinstance(given, GradientMoments) else moments(given))
        if not math.isfinite(value):
            return go_on
        self.value = value
        self._positive = self._positive + 1 if value > 0.0 else 0
        if self._positive < self.patience:
            return go_on
        return self._stop(
            f"the gradient is within the noise of its samples (evidence {self.value:.3g} > 0)"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"patience": self.patience}

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {"value": self.value, "positive": self._positive}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        self.value = state["value"]
        self._positive = state["positive"]
