"""From the weights of one kernel to scores that can be compared."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._core.checks import bad_type, bad_value
from kerasopt.pruning.criteria import Context, Criterion

_ARRAYS = ("gradient", "gradient_magnitude", "input_norm", "moved")


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
    wide = array.dtype.kind in "iu" or array.dtype.itemsize > 4
    return array.astype(np.float64 if wide else np.float32)


def scored(weights: NDArray[Any], criterion: Criterion, context: Context) -> NDArray[Any]:
    """Give the score of each weight, as float32 or float64.

    Args:
        weights: What `as_weights` gave.
        criterion: Says what matters.
        context: What it may know beside.

    Raises:
        ValueError: If a weight is NaN or infinite, the criterion lacks what it needs, or gives
            scores of another shape, or NaN.
    """
    name = context.name
    for need in criterion.needs:
        if getattr(context, need) is None:
            raise bad_value(
                "criterion",
                f"one that does without {need!r}, or that with it",
                criterion,
                f"{type(criterion).__name__} needs `{need}` of {name!r} and got none.",
            )
    if weights.size and not (np.isfinite(weights.max()) and np.isfinite(weights.min())):
        nan = int(np.isnan(weights).sum())
        what = f"{nan or int(np.isinf(weights).sum())} of {weights.size} weights are "
        raise ValueError(
            f"{name} cannot be pruned: {what}{'NaN' if nan else 'infinite'}. If training made "
            "them, it has diverged: lower the learning rate, clip gradients, or check the data."
        )
    fitting = _fitting(context, weights.shape)
    try:
        scores = np.asarray(criterion.scores(weights, fitting))
    except Exception as error:
        raise bad_value(
            "criterion",
            f"one that gives a score for each of the weights of {name!r}",
            criterion,
            f"It raised {type(error).__name__}: {error}.",
        ) from error
    if scores.shape != weights.shape:
        raise bad_value(
            "criterion",
            f"one that gives scores of the shape {weights.shape} for {name!r}",
            scores.shape,
        )
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    if scores.size and np.isnan(scores.max()):
        raise ValueError(
            f"{name} cannot be pruned: {criterion!r} gives NaN for {int(np.isnan(scores).sum())} "
            f"of {scores.size} weights."
        )
    return scores


def _fitting(context: Context, shape: tuple[int, ...]) -> Context:
    """Give the context with every array in the shape of the weights."""
    arrays: dict[str, Any] = {}
    for field in _ARRAYS:
        if getattr(context, field) is not None:
            array = as_weights(getattr(context, field), field)
            try:
                arrays[field] = np.broadcast_to(array, shape)
            except ValueError:
                expected = f"an array that broadcasts to the shape {shape} of {context.name!r}"
                raise bad_value(field, expected, array.shape) from None
    return replace(context, **arrays) if arrays else context
