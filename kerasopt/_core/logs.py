"""What a training reports: numbers, arrays of one number a class, tensors of any backend."""

import numbers
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value

MOST = 100
"""Entries of an array that are told apart by name; of a larger one none is."""

_LOWER = re.compile(
    r"loss|error|perplexity|divergence|crossentropy|hinge|poisson|huber|log_?cosh"
    r"|(^|_)(mse|mae|mape|msle|rmse|nll)$"
)
_HIGHER = re.compile(
    r"accuracy|similarity|correlation|(^|_)(acc|auc|precision|recall|sensitivity|specificity|f1|fbeta|io_?u|r2"
    r"|dice)(?![a-z])|(^|_)(ap|map)$"
)

_ADVICE = (
    "It has one number a class. Name one of them, such as {name!r}, or give the metric an average, "
    'such as keras.metrics.F1Score(average="macro").'
)
_ENTRY = re.compile(r"(.+?)\[(\d+(?:, ?\d+)*)\]", re.DOTALL)


def array_of(value: Any) -> NDArray[Any] | None:
    """Give what a training reported as an array of numbers, or `None` if it is none.

    Example:
    >>> array_of([0.25, 0.5]), array_of("fast")
    (array([0.25, 0.5 ]), None)
    """
    if isinstance(value, (bool, str)) or value is None:
        return None
    if not isinstance(value, (numbers.Real, np.ndarray, np.generic, list, tuple)):
        import keras

        if not keras.ops.is_tensor(value) and not isinstance(value, keras.Variable):
            return None
        value = keras.ops.convert_to_numpy(value)
    try:
        found = np.asarray(value)
    except ValueError:  # lists that differ in length
        return None
    return found if found.dtype.kind in "iuf" or found.dtype.name == "bfloat16" else None


def scalar(name: str, value: Any, argument: str = "monitor") -> float:
    """Give one number, of an array of one element, too.

    Args:
        name: What it is called.
        value: What was reported.
        argument: Who asked for it, for errors.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is several numbers.

    Example:
    >>> scalar("val_f1_score", np.array([0.2, 0.9]))
    Traceback (most recent call last):
        ...
    ValueError: Invalid value for argument `monitor`. Expected a metric of one number an epoch. ...
    """
    if isinstance(value, (int, float)):
        return float(value)
    found = array_of(value)
    if found is None:
        raise bad_type(argument, "a metric of one number an epoch", f"{name} = {value!r}")
    if found.size != 1:
        shown = f"{name} of shape {found.shape}"
        advice = _ADVICE.format(name=f"{name}{[0] * found.ndim}")
        raise bad_value(argument, "a metric of one number an epoch", shown, advice)
    return float(found.reshape(()))


def number_of(logs: Mapping[str, Any], name: str, argument: str = "monitor") -> float | None:
    """Give one number of what a training reported, or `None` if it is not there.

    Args:
        logs: What was reported.
        name: A metric, or an entry of one with a number a class, such as `"val_f1_score[1]"`.
        argument: Who asked for it, for errors.

    Raises:
        ValueError: If it is several numbers.

    Example:
    >>> number_of({"f1_score": np.array([0.25, 1.0])}, "f1_score[1]")
    1.0
    """
    if name in logs:
        return None if logs[name] is None else scalar(name, logs[name], argument)
    entry = _ENTRY.fullmatch(name)
    if entry is None or (array := array_of(logs.get(entry[1]))) is None:
        return None
    place = tuple(int(index) for index in entry[2].split(","))
    if len(place) != array.ndim or any(map(int.__ge__, place, array.shape)):
        return None
    return float(array[place])


def metric_of(name: str) -> str:
    """Give the metric that a name is of, also the name of an entry.

    Example:
    >>> metric_of("val_f1_score[1]"), metric_of("val_loss")
    ('val_f1_score', 'val_loss')
    """
    entry = _ENTRY.fullmatch(name)
    return name if entry is None else entry[1]


def has(logs: Mapping[str, Any], name: str) -> bool:
    """Tell whether a metric, or an entry of one, was reported.

    Example:
    >>> has({"f1_score": np.array([0.25, 1.0])}, "f1_score[1]")
    True
    """
    return name in logs or number_of(logs, name) is not None


def scalars(logs: Mapping[str, Any]) -> dict[str, float]:
    """Give every number of what a training reported, an array's entries by `name[index]`.

    What is no number, and arrays of more than 100 entries, are left out.

    Example:
    >>> scalars({"loss": 0.5, "f1_score": np.array([0.25, 1.0]), "note": "a"})
    {'loss': 0.5, 'f1_score[0]': 0.25, 'f1_score[1]': 1.0}
    """
    return dict(_entries(logs, MOST))


def direction(name: str) -> str | None:
    """Tell from a metric's name whether lower or higher is better.

    Returns:
        `"min"`, `"max"`, or `None` where the name does not tell.

    Example:
    >>> [direction(name) for name in ("val_loss", "val_accuracy", "rmse", "val_my_score")]
    ['min', 'max', 'min', None]
    """
    name = metric_of(name).lower()
    if _LOWER.search(name):
        return "min"
    return "max" if _HIGHER.search(name) else None


def not_finite(logs: Mapping[str, Any]) -> dict[str, float]:
    """Give what is NaN or infinite of what a training reported, of an array the first such entry.

    Example:
    >>> not_finite({"loss": 0.5, "f1_score": np.array([0.25, np.nan])})
    {'f1_score[1]': nan}
    """
    found = {}
    for name, value in logs.items():
        array = array_of(value)
        if array is None or (wrong := ~np.isfinite(array)).sum() == 0:
            continue
        first = int(np.argmax(wrong.ravel()))
        place = [int(index) for index in np.unravel_index(first, array.shape)]
        found[name if array.size == 1 else f"{name}{place}"] = float(array.ravel()[first])
    return found


def plain(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a training reported as plain data: floats, arrays, and whatever else it was."""
    found = {}
    for name, value in logs.items():
        array = array_of(value)
        found[name] = value if array is None else float(array) if array.ndim == 0 else array
    return found


def _entries(logs: Mapping[str, Any], most: int) -> Iterator[tuple[str, float]]:
    for name, value in logs.items():
        array = array_of(value)
        if array is None or array.size > most:
            continue
        if array.size == 1:
            yield name, float(array.reshape(()))
            continue
        for place in np.ndindex(array.shape):
            yield f"{name}{list(place)}", float(array[place])
