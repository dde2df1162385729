"""Schedules as plain data and back."""

import warnings
from collections.abc import Mapping
from typing import Any

from kerasopt._core import serialization
from kerasopt.schedules.constant import Constant
from kerasopt.schedules.cosine import Cosine
from kerasopt.schedules.cyclic import Cyclic
from kerasopt.schedules.exponential import Exponential
from kerasopt.schedules.linear import Linear
from kerasopt.schedules.one_cycle import OneCycle
from kerasopt.schedules.one_shot import OneShot
from kerasopt.schedules.polynomial_decay import PolynomialDecay
from kerasopt.schedules.schedule import Schedule
from kerasopt.schedules.steps import Steps

_KINDS: dict[str, type[Schedule]] = {
    kind.__name__: kind
    for kind in (
        Constant,
        Cosine,
        Cyclic,
        Exponential,
        Linear,
        OneCycle,
        OneShot,
        PolynomialDecay,
        Steps,
    )
}


def serialize(schedule: Schedule) -> dict[str, Any]:
    """Give a schedule as plain data: its class name and its configuration."""
    return serialization.serialize(schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Schedule]] | None = None
) -> Schedule:
    """Make a schedule from what `serialize` gave.

    Args:
        config: Dict with `class_name` and `config`.
        custom_objects: Schedule classes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If `config` is no dict.
        ValueError: If the class is unknown.

    Example:
    >>> deserialize(serialize(Constant(0.5)))
    Constant(value=0.5, begin=0, end=None)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule: Schedule = serialization.deserialize(config, _KINDS, custom_objects)
        return schedule
