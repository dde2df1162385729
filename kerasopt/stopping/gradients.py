"""What the gradients of a few samples say: their noise against their mean, their disagreement."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
