"""Criteria by name, and functions as criteria."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.registry import Registry
from kerasopt.pruning.criteria.criterion import Context, Criterion
from kerasopt.pruning.criteria.gradient import Movement, Snip, Taylor
from kerasopt.pruning.criteria.magnitude import Lamp, Magnitude, Random
from kerasopt.pruning.criteria.wanda import Wanda


class Function(Criterion):
    """A function of the user's as a criterion.

    Args:
        function: `function(weights)` or `function(weights, context)`, which gives an array of the
            weights' shape. It gets the context if it cannot do with one argument, or calls its
            second one so.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self._takes_context = not isinstance(function, np.ufunc) and _takes_context(function)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give what the function gives."""
        given = (weights, context) if self._takes_context else (weights,)
        return np.asarray(self.function(*given))

    def get_config(self) -> dict[str, Any]:
        """Give the function, which is no plain data."""
        return {"function": self.function}


def _takes_context(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some builtin functions do not tell
        return False
    required = [
        p for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    ]
    return len(required) > 1 or list(parameters)[1:2] == ["context"]


CRITERIA: Registry[Criterion] = Registry(
    "criterion",
    Criterion,
    [Function],
    {
        "gradient": Taylor,
        "lamp": Lamp,
        "magnitude": Magnitude,
        "movement": Movement,
        "random": Random,
        "snip": Snip,
        "taylor": Taylor,
        "wanda": Wanda,
    },
    also="a function of the weights",
)
serialize = CRITERIA.serialize
deserialize = CRITERIA.deserialize


def get(value: Any, custom_objects: Mapping[str, type[Criterion]] | None = None) -> Criterion:
    """Give the criterion that `value` is or names.

    Args:
        value: A `Criterion`, a name of one, what `serialize` gave, or a function
            `weights -> scores` or `(weights, context) -> scores`.
        custom_objects: Criteria of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.

    Example:
    >>> get("magnitude"), get(np.square).scores(np.array([-3.0]), Context())
    (Magnitude(), array([9.]))
    """
    if callable(value) and not isinstance(value, (type, Criterion)):
        return Function(value)
    return CRITERIA.get(value, custom_objects)
