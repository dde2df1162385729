"""Objects that are what their arguments are: shown, compared, copied, made again from data."""

import copy
from collections.abc import Mapping
from typing import Any, Self, TypeVar


class Configured:
    """Mixin: shown, compared and made again by what `get_config` gives."""

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and repr(other) == repr(self)

    def __hash__(self) -> int:
        return hash(repr(self))


def serialize(thing: Any) -> dict[str, Any]:
    """Give a thing as plain data: its class name and its configuration."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


Copied = TypeVar("Copied")


def kind_of(callback: Any) -> type[Any]:
    """Give the class of this library that a callback is of, or derives from."""
    mine = (cls for cls in type(callback).__mro__ if cls.__module__.split(".")[0] == "kerasopt")
    return next(mine)


def fresh_copy(callback: Copied, arguments: Mapping[str, Any], memo: dict[int, Any]) -> Copied:
    """Copy a callback for another run, as KerasTuner does for every trial.

    The class of this library begins anew with its arguments. What a subclass has added is copied as
    `copy.deepcopy` does it, because only its constructor knows what it was made of.

    Args:
        callback: The callback.
        arguments: Those of its class of this library, to be used as they are.
        memo: Of `copy.deepcopy`.

    Raises:
        TypeError: If what a subclass has added cannot be copied.
    """
    copied = type(callback).__new__(type(callback))
    memo[id(callback)] = copied
    model = getattr(callback, "_model", None)
    if model is not None:
        memo[id(model)] = model  # a model that a subclass refers to is no part of it
    kind_of(callback).__init__(copied, **arguments)
    made = vars(copied)
    for name, value in list(vars(callback).items()):
        if name not in made:
            made[name] = copy.deepcopy(value, memo)
    return copied
