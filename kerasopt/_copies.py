"""Copies of callbacks: with all arguments, those of a subclass too, and nothing of a run."""

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

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
