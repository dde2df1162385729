"""Schedules by name, as plain data and back."""

import warnings
from collections.abc import Mapping
from typing import Any

from kerasopt._core.registry import Registry
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

SCHEDULES: Registry[Schedule] = Registry(
    "schedule",
    Schedule,
    (
        Constant,
        Cosine,
        Cyclic,
        Exponential,
        Linear,
        OneCycle,
        OneShot,
        PolynomialDecay,
        Steps,
    ),
)
serialize = SCHEDULES.serialize


def get(value: Any, custom_objects: Mapping[str, type[Schedule]] | None = None) -> Schedule:
    """Give the schedule that `value` is or describes.

    Args:
        value: A schedule, what `serialize` gave (`class_name` may be in snake case), or the name
            of a class of your own that needs no arguments, which all of kerasopt's do.
        custom_objects: Schedule classes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the class is unknown, or needs arguments.

    Example:
    >>> get({"class_name": "constant", "config": {"value": 0.5}})
    Constant(value=0.5, begin=0, end=None)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SCHEDULES.get(value, custom_objects)


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
        return SCHEDULES.deserialize(config, custom_objects)
