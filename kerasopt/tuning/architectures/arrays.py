"""Data given as arrays of numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import bad_type, bad_value

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
