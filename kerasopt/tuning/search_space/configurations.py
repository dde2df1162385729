"""A whole search space: what is active, how a study holds it, and all of it where it is finite."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras_tuner

from kerasopt._core.checks import bad_value, did_you_mean
from kerasopt.tuning.search_space.axes import Axis

MOST = 20_000
"""From so many configurations on a space counts as infinite: repetitions are rare there."""

_FIXED = keras_tuner.engine.hyperparameters.Fixed

Config = frozenset[tuple[str, Any]]
"""The active values of one configuration."""


class Space:
    """The hyperparameters of a search, in the order in which they were declared.

    Parents stand before their children, so one walk in order tells which are active.

    Args:
        hps: Hyperparameters of KerasTuner, as in `HyperParameters.space`.
        grid: Whether a number without steps has ten values and its default. Defaults to `False`.

    Attributes:
        axes: Of each hyperparameter how Optuna sees it; `None` for one that is fixed.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> kind = hp.Choice("kind", ["mlp", "cnn"])
    >>> with hp.conditional_scope("kind", ["cnn"]):
    ...     _ = hp.Int("filters", 8, 16, step=8)
    >>> [sorted(one.items()) for one in Space(hp.space).configurations()]
    [[('kind', 'mlp')], [('filters', 8), ('kind', 'cnn')], [('filters', 16), ('kind', 'cnn')]]
    """

    def __init__(self, hps: Sequence[Any], grid: bool = False):
        self.hps = list(hps)
        self.grid = grid
        self._sizes: dict[int, int | None] = {}
        names: set[str] = set()
        self.axes: list[Axis | None] = []
        for hp in self.hps:
            key = hp.name
            if key in names:  # the same name under another condition may have other values
                key += "".join(f" [{one.name}={one.values}]" for one in hp.conditions)
            names.add(key)
            self.axes.append(None if isinstance(hp, _FIXED) else Axis.of(hp, key, grid))

    def active(self, values: Mapping[str, Any]) -> list[tuple[Any, Axis | None]]:
        """Give the hyperparameters whose conditions the values meet."""
        return [
            (hp, axis)
            for hp, axis in zip(self.hps, self.axes, strict=True)
            if all(condition.is_active(values) for condition in hp.conditions)
        ]

    def values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Give the active hyperparameters' values of what a study holds.

        Where the study holds nothing of one, because it was declared later, it has its default.
        """
        return self.walk(
            lambda hp, axis: axis.value(params[axis.key]) if axis.key in params else hp.default
        )

    def walk(self, ask: Callable[[Any, Axis], Any]) -> dict[str, Any]:
        """Give a value to each hyperparameter that is active, given those before it.

        Args:
            ask: Function `ask(hp, axis)` that gives the value; those that are fixed are not asked.
        """
        values: dict[str, Any] = {}
        for hp, axis in zip(self.hps, self.axes, strict=True):
            if all(condition.is_active(values) for condition in hp.conditions):
                values[hp.name] = hp.default if axis is None else ask(hp, axis)
        return values

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Give what a study holds of values, which need not be complete.

        Raises:
            ValueError: If a name or a value is not of this space.
        """
        names = {hp.name for hp in self.hps}
        for name in values:
            if name not in names:
                raise bad_value(
                    "initial", f"names of {sorted(names)}", name, did_you_mean(name, names)
                )
        return {
            axis.key: axis.seen(values[hp.name])
            for hp, axis in self.active(values)
            if axis is not None and hp.name in values
        }

    def size(self, limit: int = MOST) -> int | None:
        """Give the number of configurations, or `None` if there are more than `limit`."""
        if limit not in self._sizes:
            self._sizes[limit] = self._count(limit)
        return self._sizes[limit]

    def _count(self, limit: int) -> int | None:
        points = [1 if axis is None else axis.points() for axis in self.axes]
        product = 1
        for hp, count in zip(self.hps, points, strict=True):
            if count is None or count > limit:
                return None
            product *= 1 if hp.conditions else count
        if product > limit:
            return None
        count = sum(1 for _ in itertools.islice(self.configurations(), limit + 1))
        return None if count > limit else count or None

    def configurations(self) -> Iterator[dict[str, Any]]:
        """Go through all configurations, that of all defaults first; none if it is not finite."""
        if all(axis is None or axis.points() is not None for axis in self.axes):
            yield from self._from(0, {})

    def _from(self, place: int, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if place == len(self.hps):
            yield dict(values)
            return
        hp, axis = self.hps[place], self.axes[place]
        if not all(condition.is_active(values) for condition in hp.conditions):
            yield from self._from(place + 1, values)
            return
        # The same name may have been active already, under another condition.
        for value in (hp.default,) if axis is None else axis.in_order():
            yield from self._from(place + 1, {**values, hp.name: value})


class Covered:
    """Configurations that need no trial, because trials that took the same values are there.

    A trial stands for every configuration that agrees with all its values: what it never asked for
    cannot have mattered. While a trial runs, it may still ask for more.

    Args:
        taken: The values of each trial.

    Example:
    >>> covered = Covered([{"kind": "mlp", "units": 8}])
    >>> {"kind": "mlp", "units": 8, "filters": 3} in covered, {"kind": "cnn", "units": 8} in covered
    (True, False)
    """

    def __init__(self, taken: Iterable[Mapping[str, Any]]):
        self._by_names: dict[tuple[str, ...], set[tuple[Any, ...]]] = {}
        for values in taken:
            names = tuple(sorted(values))
            self._by_names.setdefault(names, set()).add(tuple(values[name] for name in names))

    def __contains__(self, values: Mapping[str, Any]) -> bool:
        return any(
            tuple(values[name] for name in names) in found
            for names, found in self._by_names.items()
            if all(name in values for name in names)
        )


def config_of(values: Mapping[str, Any]) -> Config:
    """Give values in a form that can be compared and kept in sets."""
    return frozenset(values.items())


def distance(space: Space, one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Tell how far apart two configurations are: per hyperparameter from 0 to 1, summed.

    Ordered values are as far apart as their places; others, and what only one of them has, 1.
    """
    total = float(len(set(one) ^ set(other)))
    for hp, axis in space.active(one):
        if axis is None or hp.name not in other or one[hp.name] == other[hp.name]:
            continue
        points = axis.points() or 1
        ordered = not hasattr(axis.distribution, "choices")
        if ordered and points > 1:
            places = axis.place(one[hp.name]), axis.place(other[hp.name])
            if places[0] is None or places[1] is None:  # the same name under another condition
                total += 1.0
                continue
            total += abs(places[0] - places[1]) / (points - 1)
        else:
            total += 1.0
    return total
