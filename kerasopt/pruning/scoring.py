"""From the weights of one kernel to scores that can be compared."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._checks import bad_type, bad_value
from kerasopt.pruning.criteria import Context, Criterion


def as_weights(weights: ArrayLike, name: str = "weights") -> NDArray[Any]:
    """Give weights as an array of a float type that NumPy computes with quickly.

    Raises:
        TypeError: If they are no real numbers.
        ValueError: If they are of several lengths.
    """
    try:
        array = np.asarray(weights)
    except ValueError as error:
        raise bad_value(name, "an array, every row of one length", weights) from error
    if array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.kind not in "fiu" and "float" not in array.dtype.name:
        raise bad_type(name, "an array of real numbers", weights)
    # Half floats; or integers, which float32 cannot tell apart beyond 2 ** 24.
    return array.astype(np.float64 if array.dtype.kind in "iu" else np.float32)


def scored(weights: NDArray[Any], criterion: Criterion, context: Context) -> NDArray[Any]:
    """Give the score of each weight.

    Args:
        weights: What `as_weights` gave.
        criterion: Says what matters.
        context: What it may know beside.

    Raises:
        ValueError: If a weight is NaN, the criterion lacks what it needs, or gives scores of
            another shape, or NaN.
    """
    for need in criterion.needs:
        if getattr(context, need) is None:
            raise bad_value(
                "criterion",
                f"one that does without {need!r}, or that with it",
                criterion,
                f"{type(criterion).__name__} needs `{need}` of {context.name!r} and got none.",
            )
    scores = criterion.scores(weights, context)
    if scores.shape != weights.shape:
        raise bad_value(
            "criterion",
            f"one that gives scores of the shape {weights.shape} for {context.name!r}",
            scores.shape,
        )
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.size and np.isnan(scores.max()):
        _refuse_nan(weights, scores, criterion, context.name)
    return scores


def _refuse_nan(
    weights: NDArray[Any], scores: NDArray[Any], criterion: Criterion, name: str
) -> None:
    count = int(np.isnan(weights).sum())
    if count:
        raise ValueError(
            f"{name} cannot be pruned: {count} of {weights.size} weights are NaN. If training made "
            "them, it has diverged: lower the learning rate, clip gradients, or check the data."
        )
    raise ValueError(
        f"{name} cannot be pruned: {criterion!r} gives NaN for {int(np.isnan(scores).sum())} of "
        f"{scores.size} weights."
    )
