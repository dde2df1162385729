"""What data are: images, sequences or a table, in what range, and why."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt.tuning.hypermodels.feature_statistics import Moments, moments, numbers

LEAST_SIDE = 8
"""Pixels that a side of a gray image has at least."""


@dataclass(frozen=True)
class Inputs:
    """What data are.

    Attributes:
        kind: `"image"`, `"sequence"` or `"table"`.
        shape: Of one sample.
        samples: How many there are.
        rescale: By what pixels should be multiplied, or `None`.
        normalize: Mean and variance by feature where they should be normalized, or `None`.
        reasons: Why.
    """

    kind: str
    shape: tuple[int, ...]
    samples: int
    rescale: float | None
    normalize: dict[str, list[float]] | None
    reasons: tuple[str, ...]


def read_inputs(x: Any) -> Inputs:
    """Look at data.

    Args:
        x: Array of numbers (n, features), (n, steps, features), (n, height, width) or (n, height,
            width, channels).

    Raises:
        TypeError: If it is no array of numbers.
        ValueError: If its shape is another, or a value is NaN or infinite.

    Example:
    >>> read_inputs(np.zeros((5, 28, 28), "uint8")).kind
    'image'
    """
    array = numbers("x", x)
    kind, reason = _kind(array)
    found = moments("x", array)
    shape = tuple(int(size) for size in array.shape[1:])
    if kind == "image":
        rescale, about = _range(found)
        return Inputs(kind, shape, len(array), rescale, None, (reason, about))
    normalize, about = _scale(found)
    reasons = [reason, about]
    if kind == "table" and _flattened(shape[0], found):
        side = math.isqrt(shape[0])
        reasons.append(
            f"If its rows are flattened images, give x.reshape(-1, {side}, {side}) instead, for "
            "a CNN."
        )
    return Inputs(kind, shape, len(array), None, normalize, tuple(reasons))


def _kind(x: NDArray[Any]) -> tuple[str, str]:
    """Give the kind by the shape and the type, and the reason."""
    said = f"x has shape {x.shape}"
    match x.shape:
        case (_, _):
            return "table", f"{said}, a table of samples and features: a multi-layer perceptron."
        case (_, height, width):
            if min(height, width) < LEAST_SIDE or (x.dtype != np.uint8 and height != width):
                return "sequence", f"{said}: sequences of {height} steps, {width} features each."
            sign = "its type uint8 is that of pixels" if x.dtype == np.uint8 else "equal sides"
            return "image", (
                f"{said} and {sign}: gray images, to which a Reshape layer adds the channel axis. "
                "(If they are sequences, use HyperSequenceCNN or HyperRNN.)"
            )
        case (_, channels, height, width):
            if channels in (1, 3) and width > 4 and min(height, width) >= LEAST_SIDE:
                advice = "Images have channels last here: np.moveaxis(x, 1, -1)."
                raise bad_value("x.shape", "(n, height, width, channels)", x.shape, advice)
            return "image", f"{said}, images of {width} channels: a convolutional network."
        case (_,):
            advice = (
                "One number a sample is a table of one column, x.reshape(-1, 1); a single sample "
                "is one row, x.reshape(1, -1)."
            )
        case _:
            advice = "Write a `keras_tuner.HyperModel` of your own for it."
    raise bad_value("x.shape", "2, 3 or 4 axes, the first for the samples", x.shape, advice)


def _range(found: Moments) -> tuple[float | None, str]:
    """Give by what to multiply pixels so that they are within 1 or so."""
    low, high = float(found.minimum.min()), float(found.maximum.max())
    said = f"Pixels lie from {low:g} to {high:g}"
    if low >= 0.0 and high <= 1.0:
        return None, f"{said}: no rescaling."
    if low >= 0.0:
        top = 255.0 if 127.0 < high <= 255.0 else high
        return 1.0 / top, f"{said}: a Rescaling layer divides by {top:g}."
    top = max(-low, high)
    # Standardized images reach some standard deviations to both sides.
    if top <= 10.0:
        return None, f"{said}, around 0: no rescaling."
    return 1.0 / top, f"{said}: a Rescaling layer divides by {top:g}."


def _scale(found: Moments) -> tuple[dict[str, list[float]] | None, str]:
    """Give the normalization that features need, if they need one."""
    varied = found.minimum < found.maximum
    deviation = np.sqrt(found.variance[varied])
    if not varied.any():
        return None, "All features are constant: no normalization."
    said = (
        f"Means of features lie from {found.mean.min():.3g} to {found.mean.max():.3g}, standard "
        f"deviations from {deviation.min():.3g} to {deviation.max():.3g}"
    )
    sparse = found.sparse
    if sparse.any():
        said += f"; {sparse.sum()} of {len(sparse)} are one-hot or mostly 0"
    given = {name: np.array(values)[varied] for name, values in found.normalization.items()}
    scale = np.sqrt(given["variance"])
    if ((scale >= 0.05) & (scale <= 3.0)).all() and (np.abs(given["mean"]) <= 1.0).all():
        return None, f"{said}: no normalization."
    kept = ", and keeps these zeros" if sparse.any() else ""
    return found.normalization, f"{said}: a Normalization layer brings them to 0 and 1{kept}."


def _flattened(features: int, found: Moments) -> bool:
    """Tell whether a table looks like pixels in rows."""
    low, high = found.minimum.min(), found.maximum.max()
    square = math.isqrt(features) ** 2 == features
    return square and features >= LEAST_SIDE**2 and low >= 0 and 127 < high <= 255
