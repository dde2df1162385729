"""Hyperparameters of KerasTuner as Optuna's distributions, and values to and fro."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import keras_tuner
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kerasopt._core.checks import bad_type, bad_value

_KINDS = keras_tuner.engine.hyperparameters


def finite_values(hp: Any) -> Sequence[Any] | None:
    """Give all values of a hyperparameter in order, or `None` if it has no steps.

    Args:
        hp: A hyperparameter of KerasTuner.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> _ = hp.Int("batch_size", 16, 128, step=2, sampling="log")
    >>> finite_values(hp.space[0])
    [16, 32, 64, 128]
    """
    if isinstance(hp, _KINDS.Boolean):
        return [False, True]
    if isinstance(hp, (_KINDS.Choice, _KINDS.Fixed)):
        return list(dict.fromkeys(hp.values))
    if isinstance(hp, _KINDS.Int) and (hp.step is None or hp.sampling == "linear"):
        return range(hp.min_value, hp.max_value + 1, hp.step or 1)  # there may be millions
    if hp.step is None:
        return None
    kind = int if isinstance(hp, _KINDS.Int) else float
    return sorted(kind(value) for value in hp.values)


@dataclass(frozen=True)
class Axis:
    """One hyperparameter as Optuna sees it.

    A number with a logarithmic step and a choice between ordered values are seen as the index of
    the value, so that a sampler knows their order; `"reverse_log"` is seen as its mirror image.

    Attributes:
        hp: The hyperparameter of KerasTuner.
        key: Its name in the study.
        distribution: Optuna's.
        values: What an index stands for; `None` where the study holds the value itself.
        mirror: `min_value + max_value` of one that is mirrored, else `None`.
    """

    hp: Any
    key: str
    distribution: BaseDistribution
    values: tuple[Any, ...] | None = None
    mirror: float | None = None

    @classmethod
    def of(cls, hp: Any, key: str, grid: bool = False) -> "Axis":
        """Make the axis of a hyperparameter.

        Args:
            hp: A hyperparameter of KerasTuner, but not a `Fixed`.
            key: Its name in the study.
            grid: Whether it is for a grid, as KerasTuner makes it: a number without steps has ten
                values, evenly spread in its sampling, and its default.
        """
        if isinstance(hp, _KINDS.Boolean):
            return cls(hp, key, CategoricalDistribution([False, True]))
        if isinstance(hp, _KINDS.Choice):
            values = finite_values(hp) or []
            if hp.ordered and len(values) > 1:
                return cls(hp, key, IntDistribution(0, len(values) - 1), tuple(values))
            return cls(hp, key, CategoricalDistribution(values))
        integer = isinstance(hp, _KINDS.Int)
        kind = IntDistribution if integer else FloatDistribution
        if grid and (found := _of_grid(hp)) is not None:
            return cls(hp, key, IntDistribution(0, len(found) - 1), tuple(found))
        if hp.step is not None and hp.sampling == "linear":
            last = _even(hp)
            if last is not None:
                return cls(hp, key, kind(hp.min_value, last, step=hp.step))
        if hp.step is not None:
            steps = finite_values(hp) or ()
            return cls(hp, key, IntDistribution(0, max(len(steps) - 1, 0)), tuple(steps))
        if hp.sampling == "linear":
            return cls(hp, key, kind(hp.min_value, hp.max_value))
        mirror = hp.min_value + hp.max_value if hp.sampling == "reverse_log" else None
        return cls(hp, key, kind(hp.min_value, hp.max_value, log=True), mirror=mirror)

    def value(self, seen: Any) -> Any:
        """Give the hyperparameter's value for what the study holds."""
        if self.values is not None:
            return self.values[int(seen)]
        if self.hp.__class__ is _KINDS.Float and self.hp.step is not None:
            # Optuna and KerasTuner round the same step differently in the last bit.
            return min(finite_values(self.hp) or [seen], key=lambda value: abs(value - seen))
        return seen if self.mirror is None else self._within(self.mirror - seen)

    def seen(self, value: Any) -> Any:
        """Give what the study holds for a value of the hyperparameter.

        Raises:
            TypeError: If it is of the wrong type.
            ValueError: If it is none of the values.
        """
        if self.values is not None:
            if value in self.values:
                return self.values.index(value)
            raise bad_value(self.hp.name, f"one of {list(self.values)}", value)
        if isinstance(self.distribution, CategoricalDistribution):
            if value in self.distribution.choices:
                return value
            raise bad_value(self.hp.name, f"one of {list(self.distribution.choices)}", value)
        low, high = self.hp.min_value, self.hp.max_value
        if isinstance(value, (bool, str)) or not isinstance(value, (int, float)):
            raise bad_type(self.hp.name, f"a number from {low} to {high}", value)
        if not low <= value <= high:
            raise bad_value(self.hp.name, f"a number from {low} to {high}", value)
        kind = int if isinstance(self.distribution, IntDistribution) else float
        return kind(value if self.mirror is None else self._within(self.mirror - value))

    def _within(self, value: Any) -> Any:
        """Take off what a mirror image lies outside by rounding."""
        return min(max(value, self.hp.min_value), self.hp.max_value)

    def points(self) -> int | None:
        """Give the number of values, or `None` if it is not finite."""
        if self.values is not None:
            return len(self.values)
        hp = self.hp
        if isinstance(hp, _KINDS.Int) and (hp.step is None or hp.sampling == "linear"):
            return int((hp.max_value - hp.min_value) // (hp.step or 1)) + 1
        values = finite_values(hp)
        return None if values is None else len(values)

    def in_order(self) -> Iterator[Any]:
        """Go through all values in order, the default first where it is one; none if not finite."""
        hp = self.hp
        values: Iterable[Any] = self.values or ()
        if self.values is None:
            values = finite_values(hp) or ()
        default = hp.default
        if default in values:
            yield default
        yield from (value for value in values if value != default)

    def place(self, value: Any) -> int | None:
        """Give the place of one of ordered values, or `None` if it is none of them."""
        values = self.values if self.values is not None else finite_values(self.hp)
        return values.index(value) if values is not None and value in values else None


def _even(hp: Any) -> Any:
    """Give the last value of a number with even steps; `None` if decimals cannot hold it.

    Optuna reckons in decimals, and drops the last value where these do not come out even.
    """
    values = finite_values(hp) or [hp.min_value]
    last = Decimal(str(hp.min_value)) + (len(values) - 1) * Decimal(str(hp.step))
    found = type(hp.min_value)(last)
    return found if Decimal(str(found)) == last else None


def _of_grid(hp: Any) -> list[Any] | None:
    """Give a number's values in a grid, in order; `None` where these are its steps."""
    even = isinstance(hp, _KINDS.Int) and hp.sampling == "linear"
    if hp.step is None and not even:
        return sorted({*hp.values, hp.default})
    values = finite_values(hp) or ()
    if hp.default in values:
        return None
    others = {value for value in values if not math.isclose(value, hp.default)}
    return sorted({*others, hp.default})
