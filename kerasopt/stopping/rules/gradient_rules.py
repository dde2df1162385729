"""Rules on gradients of a few samples: no validation set needed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least
from kerasopt.stopping.rules.rule import Rule, Verdict, go_on

EPSILON = 1e-5


@dataclass(frozen=True)
class GradientMoments:
    """Mean and variance of per-sample gradients.

    Attributes:
        mean: Array of shape (parameters,), the gradient of the batch.
        variance: Array of shape (parameters,), the unbiased variance over the samples.
        samples: Int >= 2, the batch size.
    """

    mean: NDArray[Any]
    variance: NDArray[Any]
    samples: int


def moments(gradients: Any) -> GradientMoments:
    """Give the moments of per-sample gradients.

    Args:
        gradients: Array of shape (samples, parameters).

    Raises:
        ValueError: If it has another rank or fewer than two samples.
    """
    array = np.asarray(gradients, float)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(
            "Gradients of samples are an array of shape (samples >= 2, parameters). Received: "
            f"shape {array.shape}."
        )
    return GradientMoments(array.mean(0), array.var(0, ddof=1), len(array))


def evidence(given: GradientMoments) -> float:
    """Give 1 - (B / D) sum_k g_k^2 / (var_k + 1e-5) (Mahsereci et al., 2017, eq. 7).

    Positive where the gradient is no larger than the noise of B samples explains; NaN where one of
    the moments is not finite, of which nothing is known.

    Example:
    >>> evidence(moments([[1.0], [3.0]])) < 0 < evidence(moments([[-1.0], [1.1]]))
    True
    """
    mean, variance = np.asarray(given.mean, float), np.asarray(given.variance, float)
    if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
        return float("nan")
    return float(1.0 - given.samples * np.mean(mean**2 / (variance + EPSILON)))


def disparity(gradients: Any) -> float:
    """Give the mean L2 distance between the gradients of pairs of batches.

    Args:
        gradients: Array of shape (batches, parameters).

    Raises:
        ValueError: If it has another rank or fewer than two batches.

    Example:
    >>> disparity([[0.0, 0.0], [3.0, 4.0]])
    5.0
    """
    array = np.asarray(gradients, float)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(
            "Gradients of batches are an array of shape (batches >= 2, parameters). Received: "
            f"shape {array.shape}."
        )
    first, second = np.triu_indices(len(array), k=1)
    pairs = zip(first, second, strict=True)
    return float(np.mean([np.linalg.norm(array[i] - array[j]) for i, j in pairs]))


class GradientDisparity(Rule):
    r"""Stop when the distance between the gradients of batches has risen `patience` times running.

    D(t) = mean over pairs i < j of ||g_i - g_j||_2, g_i the gradient of batch i (Forouzesh &
    Thiran, 2021, "Disparity Between Batches as a Signal for Early Stopping"): a model that begins
    to fit single samples makes its batches pull apart. It needs no validation data. A disparity
    that is not finite is passed over.

    The callback computes the gradients on the batch that it is given as `probe=(x, y)`, split into
    five. Elsewhere give them as `metrics["batch_gradients"]`, an array of shape (batches,
    parameters).

    | D | 1.0 | 2.0 | 1.5 | 1.6 | 1.7 |
    |---|---|---|---|---|---|
    | rises running | | 1 | 0 | 1 | 2: `GradientDisparity(2)` stops |

    Args:
        patience: Int >= 1, rises running. Defaults to `5`.

    Attributes:
        value: The last disparity, `None` before the first.

    Raises:
        TypeError: If `patience` is no integer.
        ValueError: If it is below 1.

    Example:
    >>> rule = GradientDisparity(2)
    >>> [rule.update(t, {"batch_gradients": [[0.0], [d]]}).stop
    ...  for t, d in enumerate([1.0, 2.0, 1.5, 1.6, 1.7])]
    [False, False, False, False, True]
    """

    needs = "batch_gradients"
    name = "gradient_disparity"

    def __init__(self, patience: int = 5):
        self.patience = at_least("patience", patience, 1)
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        self.value: float | None = None
        self._rises = 0

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the gradients of one more epoch (or step) and decide."""
        given = metrics.get("batch_gradients")
        value = float("nan") if given is None else disparity(given)
        if value != value or value == float("inf"):
            return go_on
        before, self.value = self.value, value
        self._rises = self._rises + 1 if before is not None and value > before else 0
        if self._rises < self.patience:
            return go_on
        return self._stop(
            f"the disparity of the gradients of batches rose {self._rises} times running, to "
            f"{value:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"patience": self.patience}

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {"value": self.value, "rises": self._rises}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        self.value = state["value"]
        self._rises = state["rises"]


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
