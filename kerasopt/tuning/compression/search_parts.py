"""The parts of the search: arguments of `CompressedHyperModel`, checked before any training."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import keras_tuner

from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt.export import to_tflite
from kerasopt.export.options import Wish
from kerasopt.tuning.space import quantization
from kerasopt.tuning.space.quantization import USUAL


@dataclass(frozen=True)
class Part:
    """Gives what one space gives; plain data, so that it can be sent to another process.

    Attributes:
        space: Function from hyperparameters to arguments or callbacks.
        arguments: Further arguments of it.
    """

    space: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, hp: Any) -> Any:
        """Register the hyperparameters and give what their values mean."""
        return self.space(hp, **self.arguments)


def part(argument: str, value: Any, space: Callable[..., Any], off: Callable[..., Any]) -> Part:
    """Make a part of what the user gave for it.

    Args:
        argument: Name of the user's argument.
        value: `True` for the space as it is, `False` for none, a dict of arguments of the space, or
            a function `hp -> what the space gives`.
        space: The space.
        off: Function `hp -> what means none`.

    Raises:
        TypeError: If it is something else.
        ValueError: If an argument of the space has a wrong name or value.
    """
    if isinstance(value, bool):
        return Part(space if value else off)
    if isinstance(value, Mapping):
        known = list(inspect.signature(space).parameters)[1:]
        for name in value:
            if name not in known:
                expected = f"a dict with keys of {known}"
                raise bad_value(argument, expected, value, did_you_mean(name, known))
        found = Part(space, dict(value))
        # Wrong values are told now, and not in the first trial.
        found(keras_tuner.HyperParameters())
        return found
    if callable(value) and not isinstance(value, type):
        return Part(value)
    expected = f"True, False, a dict of arguments of `space.{space.__name__}`, or a function of hp"
    raise bad_type(argument, expected, value)


_OWN = ("model", "path", "mode", "calibration", "validation_data")
_WISHED = ("io", "exclude", "max_accuracy_drop", "sparse", "least_db", "least_variance")


def checked_build(build: Any) -> Any:
    """Check that this makes models.

    Raises:
        TypeError: If it does not.
    """
    if isinstance(build, keras_tuner.HyperModel):
        return build
    expected = "a function `hp -> model` or a keras_tuner.HyperModel"
    if isinstance(build, keras.layers.Layer) or not callable(build):
        raise bad_type("build", expected, build)
    if isinstance(build, type):
        raise bad_type("build", expected, build, f"Give an instance: {build.__name__}().")
    return build


def checked_export(export: Any) -> dict[str, Any]:
    """Check the names of further arguments of `to_tflite`.

    Raises:
        TypeError: If it is no dict.
        ValueError: If there is no such argument, or it is one of the hypermodel's own.
    """
    if export is None:
        return {}
    if not isinstance(export, Mapping):
        raise bad_type("export", "a dict of arguments of `to_tflite`", export)
    known = [one for one in inspect.signature(to_tflite).parameters if one not in _OWN]
    for name in export:
        if name not in known:
            expected = f"a dict with keys of {known}"
            raise bad_value("export", expected, dict(export), did_you_mean(name, known))
    return dict(export)


def quantizing(value: Any, export: Mapping[str, Any]) -> Part:
    """Make the part that chooses the mode, and check that `export` goes with every mode.

    Raises:
        TypeError, ValueError: If an argument is wrong, or they do not go together.
        ImportError: If a mode needs a package that is not installed.
    """
    if isinstance(value, (str, list, tuple)):
        value = {"modes": [value] if isinstance(value, str) else list(value)}
    found = part("quantization", value, quantization, float32)
    modes = found.arguments.get("modes", USUAL) if found.space is quantization else ()
    for mode in ("float32",) if found.space is float32 else modes:
        Wish(mode, **{name: one for name, one in export.items() if name in _WISHED})
    return found


def listed(callbacks: Any) -> list[Any]:
    """Give the callbacks of `fit` as a new list."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def nothing(hp: Any) -> None:
    """Give what means that nothing is put into the model."""


def no_callbacks(hp: Any) -> list[Any]:  # noqa: ARG001
    """Give no callbacks."""
    return []


def float32(hp: Any) -> dict[str, Any]:  # noqa: ARG001
    """Give the mode of a file that is not quantized."""
    return {"mode": "float32"}
