"""One part of the search: a space with its arguments, a fixed value, or a function of one's own."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras_tuner

from kerasopt._checks import bad_type, bad_value, did_you_mean


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
