"""What data are like feature by feature: means, variances, ranges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value

CHUNK = 1 << 22
"""Numbers that are turned into float64 at a time: 32 MiB."""

SPARSE = 0.9
"""From this share of zeros on they mean nothing, rather than being numbers like others."""


@dataclass(frozen=True)
class Moments:
    """What data are like, by feature (the last axis); each of shape (features,), float64.

    Attributes:
        mean: Mean over all other axes.
        variance: Variance over all other axes.
        minimum: Smallest value.
        maximum: Largest value.
        zeros: Share of zeros.
        alike: Whether all values but zeros are one and the same.
    """

    mean: NDArray[Any]
    variance: NDArray[Any]
    minimum: NDArray[Any]
    maximum: NDArray[Any]
    zeros: NDArray[Any]
    alike: NDArray[Any]

    @property
    def sparse(self) -> NDArray[Any]:
        """Which features say by 0 that there is nothing: one-hot columns, and mostly zeros."""
        varied = self.minimum < self.maximum
        return varied & (self.alike & (self.zeros > 0.0) | (self.zeros >= SPARSE))

    @property
    def standard(self) -> dict[str, list[float]]:
        """What `keras.layers.Normalization` takes for mean 0 and variance 1.

        The variance of a constant feature is 1: with 0 the layer would blow up the smallest
        deviation by 3000 after training.
        """
        variance = np.where(self.minimum == self.maximum, 1.0, self.variance)
        return {"mean": self.mean.tolist(), "variance": variance.tolist()}

    @property
    def normalization(self) -> dict[str, list[float]]:
        """What `keras.layers.Normalization` takes for features: as `standard`, but zeros stay.

        A column of a one-hot code with a 1 in 30,000 rows would be multiplied by 170, and that row
        would outweigh all others. Where zeros mean nothing, the other values are brought to a mean
        square of 1; so 0 and 1 stay 0 and 1.
        """
        squares = self.variance + self.mean**2
        variance = np.where(self.sparse, squares / np.maximum(1.0 - self.zeros, 1e-12),
                            self.standard["variance"])  # fmt: skip
        mean = np.where(self.sparse, 0.0, self.mean)
        return {"mean": mean.tolist(), "variance": variance.tolist()}


def moments(argument: str, data: NDArray[Any]) -> Moments:
    """Measure data feature by feature, a chunk at a time.

    Args:
        argument: Name of the argument, for errors.
        data: Array of shape (n, ..., features).

    Raises:
        ValueError: If a value is NaN or infinite.

    Example:
    >>> moments("x", np.array([[1.0, 2.0], [5.0, 2.0]])).normalization
    {'mean': [3.0, 2.0], 'variance': [4.0, 1.0]}
    """
    features = data.shape[-1]
    rows = max(1, CHUNK // max(1, data[0].size))
    count = 0
    mean, spread = np.zeros(features), np.zeros(features)
    low, high = np.full(features, np.inf), np.full(features, -np.inf)
    least, most = low.copy(), high.copy()  # of what is not 0
    zeros = np.zeros(features)
    for start in range(0, len(data), rows):
        part = data[start : start + rows].astype(np.float64).reshape(-1, features)
        if not np.isfinite(part).all():
            wrong = int(np.argmin(np.isfinite(part).all(axis=1))) * features // data[0].size
            advice = "Fill it in or leave that sample out: training would only give NaN."
            where = f"NaN or infinity in {argument}[{start + wrong}]"
            raise bad_value(argument, "finite numbers", where, advice)
        # Chan, Golub & LeVeque (1979): the sums of squares of two parts are merged.
        middle, both = part.mean(axis=0), count + len(part)
        shift = middle - mean
        spread += ((part - middle) ** 2).sum(axis=0) + shift**2 * count * len(part) / both
        mean += shift * len(part) / both
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
        nothing = part == 0.0
        zeros += nothing.sum(axis=0)
        least = np.minimum(least, np.where(nothing, np.inf, part).min(axis=0))
        most = np.maximum(most, np.where(nothing, -np.inf, part).max(axis=0))
        count = both
    return Moments(mean, spread / count, low, high, zeros / count, least == most)


def normalization(argument: str, given: Any, features: int | None) -> dict[str, list[float]] | None:
    """Check what shall be normalized by: data, or what a configuration says of them.

    Args:
        argument: Name of the argument.
        given: `None`; an array of shape (n, ..., features); or a dict with `mean` and `variance`.
        features: Length of the last axis.

    Returns:
        `None`, or a dict with `mean` and `variance`, lists of `features` floats.

    Raises:
        TypeError: If it is no array of numbers.
        ValueError: If it has not that many features or a value is not finite.
    """
    if given is None:
        return None
    if isinstance(given, Mapping):
        if set(given) != {"mean", "variance"}:
            raise bad_value(argument, "data, or a dict with `mean` and `variance`", dict(given))
        found = {key: numbers(argument, given[key]).ravel().tolist() for key in given}
        if not all(math.isfinite(v) for values in found.values() for v in values):
            raise bad_value(argument, "finite means and variances", found)
        if min(found["variance"]) < 0.0:
            raise bad_value(argument, "variances >= 0", found)
    else:
        array = numbers(argument, given)
        measured = moments(argument, array.reshape(-1, 1) if array.ndim == 1 else array)
        # Targets have to come back as they were.
        found = measured.standard if argument == "denormalize" else measured.normalization
    lengths = {key: len(values) for key, values in found.items()}
    if set(lengths.values()) != {features}:
        raise bad_value(argument, f"data of {features} features", lengths)
    return found


def normalized(inputs: Any, moments: Mapping[str, Any] | None) -> Any:
    """Put a layer in front that brings each feature to mean 0 and variance 1; `None` puts none."""
    if moments is None:
        return inputs
    return keras.layers.Normalization(**moments, name="normalization")(inputs)


_WORDS = {
    "x": "Text belongs through keras.layers.TextVectorization, categories through "
    "keras.layers.StringLookup or CategoryEncoding, before the model: neither can be exported.",
    "y": "Classes by name become integers by `np.unique(y, return_inverse=True)[1]`.",
}


def numbers(argument: str, data: Any) -> NDArray[Any]:
    """Give data as an array of numbers.

    Args:
        argument: Name of the argument, for errors.
        data: Array, list, tensor or data frame, with one sample a row.

    Raises:
        TypeError: If it is no array of numbers.
        ValueError: If it has no samples.
    """
    expected = "an array of numbers, one sample a row"
    if isinstance(data, Mapping):
        raise bad_type(argument, expected, data, "Several inputs need a hypermodel of your own.")
    if hasattr(data, "element_spec") or (hasattr(data, "__next__") and not hasattr(data, "dtype")):
        advice = "Take some batches out of a dataset or generator, as many as show the range."
        raise bad_type(argument, expected, data, advice)
    try:
        array = np.asarray(data)
    except ValueError as error:
        advice = "Its rows differ in length: pad them, as by keras.utils.pad_sequences."
        raise bad_value(argument, expected, data, advice) from error
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        advice = _WORDS.get(argument, "") if array.dtype.kind in "OSUT" else ""
        raise bad_type(f"{argument}.dtype", "numbers", array.dtype.name, advice)
    if array.ndim == 0 or array.size == 0:
        raise bad_value(f"{argument}.shape", "at least one sample", array.shape)
    return array
