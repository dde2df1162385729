"""Sparse training from the start: connections that are dropped, and others that grow."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least, fraction
from kerasopt._core.registry import Registry
from kerasopt._core.serialization import Configured
from kerasopt.pruning.masks.top_k import keep_largest
from kerasopt.schedules.moments import Moment, check_moment


def drop_and_grow(
    kept: NDArray[np.bool_], weights: NDArray[Any], growth: NDArray[Any], number: int
) -> NDArray[np.bool_]:
    """Drop the smallest of the weights that are kept, and let as many others grow.

    Those just dropped may grow again, as in RigL.

    Args:
        kept: Boolean array, `True` where a weight is kept.
        weights: Array of the same shape.
        growth: Array of the same shape: what has the highest grows.
        number: How many.

    Returns:
        Boolean array with as many `True` as `kept`.

    Example:
    >>> kept = np.array([True, True, False, False])
    >>> drop_and_grow(kept, np.array([3.0, 0.1, 0.0, 0.0]), np.array([0.0, 1.0, 2.0, 9.0]), 1)
    array([ True, False, False,  True])
    """
    active = int(np.count_nonzero(kept))
    number = min(number, active, kept.size - active)
    if number <= 0:
        return kept.copy()
    stay = kept & keep_largest(np.where(kept, np.abs(weights), -1.0), active - number)
    grown = keep_largest(np.where(stay, -np.inf, growth), number)
    result: NDArray[np.bool_] = stay | grown
    return result


class Dynamics(Configured, ABC):
    """Base of what moves the connections of a sparse model while it trains.

    At each update the share `fraction / 2 (1 + cos(pi t / T))` of the connections of each kernel
    is exchanged, T being the step of `end`. The sparsity is the schedule's.

    Args:
        fraction: Float in [0, 1), the share at the first update. Defaults to `0.3`.
        end: When the last exchange is: int steps, float fraction of the run, `"3 epochs"`.
            Defaults to `0.75`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `fraction` is outside [0, 1), or the moment out of range.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, fraction: float = 0.3, end: Moment = 0.75):
        self.fraction = _fraction(fraction)
        self.end = check_moment("end", end)

    def share(self, step: int, begin: int, end: int) -> float:
        """Give the share of the connections that is exchanged at a step."""
        if not begin < step <= end:
            return 0.0
        return self.fraction / 2.0 * (1.0 + math.cos(math.pi * (step - begin) / (end - begin)))

    @abstractmethod
    def growth(self, weights: NDArray[Any], context: Any, step: int) -> NDArray[Any]:
        """Give how much each weight deserves to grow."""

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {"fraction": self.fraction, "end": self.end}


class RigL(Dynamics):
    """Grow where the gradient is largest.

    (Evci et al., 2020, "Rigging the Lottery: Making All Tickets Winners"). With
    `Pruning(OneShot(0.9), scope="erk", criterion="random", dynamics=RigL(), data=(x, y))` the
    model is sparse from its first step. Weights that grow begin at zero.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient",)

    def growth(self, weights: NDArray[Any], context: Any, step: int) -> NDArray[Any]:
        """Give the absolute gradient."""
        del weights, step
        result: NDArray[Any] = np.abs(context.gradient)
        return result


class Set(Dynamics):
    """Grow anywhere: sparse evolutionary training.

    (Mocanu et al., 2018, "Scalable training of artificial neural networks with adaptive sparse
    connectivity inspired by network science"). It needs no gradients.

    Args:
        fraction: Float in [0, 1), the share at the first update. Defaults to `0.3`.
        end: When the last exchange is. Defaults to `0.75`.
        seed: Integer >= 0. Defaults to `0`.
    """

    def __init__(self, fraction: float = 0.3, end: Moment = 0.75, seed: int = 0):
        super().__init__(fraction, end)
        self.seed = at_least("seed", seed, 0)

    def growth(self, weights: NDArray[Any], context: Any, step: int) -> NDArray[Any]:
        """Give random numbers, the same for the same seed, kernel and step."""
        name = int.from_bytes(context.name.encode(), "little")
        return np.random.default_rng([self.seed, name, step]).random(weights.shape)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {**super().get_config(), "seed": self.seed}


DYNAMICS: Registry[Dynamics] = Registry(
    "dynamics",
    Dynamics,
    (),
    {"rigl": RigL, "set": Set},
    forms=("gradual",),
    also="None",
)


def get(value: Any, custom_objects: Mapping[str, type[Dynamics]] | None = None) -> Dynamics | None:
    """Give the dynamics that `value` is or names; `None` for `"gradual"`.

    Args:
        value: A `Dynamics`, `"gradual"`, `"rigl"`, `"set"`, `None`, or what `serialize` gave.
        custom_objects: Dynamics of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.
    """
    if value is None or (isinstance(value, str) and value.lower() == "gradual"):
        return None
    return DYNAMICS.get(value, custom_objects)


def _fraction(value: Any) -> float:
    return fraction("fraction", value)
