"""The arguments of `Pruning`: checked, as plain data, and back."""

import numbers
import os
from collections.abc import Mapping
from typing import Any

from kerasopt import schedules
from kerasopt._core import serialization
from kerasopt._core.checks import bad_type, bad_value, did_you_mean, meant_share, one_of
from kerasopt._core.registry import Registry
from kerasopt._core.serialization import Configured
from kerasopt.pruning.criteria import Criterion, Lamp, Magnitude, Taylor
from kerasopt.pruning.criteria.registry import CRITERIA
from kerasopt.pruning.masks.dynamics import DYNAMICS, Dynamics
from kerasopt.pruning.masks.dynamics import get as get_dynamics
from kerasopt.pruning.patterns import Pattern, Weight
from kerasopt.pruning.patterns.registry import PATTERNS
from kerasopt.pruning.scopes import Global, PerLayer, Scope
from kerasopt.pruning.scopes import get as get_scope
from kerasopt.pruning.scopes.registry import SCOPES

_REGISTRIES: dict[str, Registry[Any]] = {
    "criterion": CRITERIA,
    "pattern": PATTERNS,
    "scope": SCOPES,
    "dynamics": DYNAMICS,
}
_OF_ONE_SCALE = (Magnitude, Lamp, Taylor)
_SHARES = "A sparsity is a share: write 0.8 for 80 %."
_FORMS = "a kerasopt.schedules.Schedule, one of tfmot's, a float in [0, 1) or 'keep'"


def checked_schedule(schedule: Any) -> schedules.Schedule:
    """Check a schedule of sparsities; a number is the end of a gradual one, `"keep"` none.

    Raises:
        TypeError: If it is neither.
        ValueError: If it leaves [0, 1).
    """
    if isinstance(schedule, str):
        if schedule != "keep":
            advice = meant_share(schedule) or did_you_mean(schedule, ["keep"])
            raise bad_value("schedule", _FORMS, schedule, advice)
        return schedules.Constant(0.0)
    if isinstance(schedule, schedules.Schedule):
        low, high = schedule.bounds()
        if low < 0.0 or high >= 1.0:
            raise bad_value("schedule", "sparsities in [0, 1)", schedule, _SHARES)
        return schedule
    if callable(schedule) and not isinstance(schedule, type):
        return checked_schedule(schedules.Foreign(schedule))
    if isinstance(schedule, bool) or not isinstance(schedule, numbers.Real):
        raise bad_type("schedule", _FORMS, schedule)
    final = float(schedule)
    if not 0.0 <= final < 1.0:
        raise bad_value(
            "schedule", "a sparsity in [0, 1)", schedule, meant_share(schedule) or _SHARES
        )
    return schedules.PolynomialDecay(0.0, final, begin=0, end=0.75)


def chosen_scope(scope: Any, pattern: Pattern, criterion: Criterion, dynamics: Any) -> Scope:
    """Give the scope; `"auto"` is `Global(floor=0.1)` where weights of all layers may compete.

    They may one by one, by a score that is of one scale in all layers. Blocks and channels are of
    other sizes in each layer, groups such as 2:4 have a share of their own, and RigL and Set keep
    the density of each layer.

    Raises:
        TypeError: If it is neither a scope nor a dict.
        ValueError: If the name is not known.
    """
    if isinstance(scope, str):
        one_of("scope", scope.lower(), ["auto", *SCOPES.named])
    if not isinstance(scope, str) or scope.lower() != "auto":
        return get_scope(scope)
    together = isinstance(pattern, Weight) and isinstance(criterion, _OF_ONE_SCALE)
    return Global(floor=0.1) if together and dynamics is None else PerLayer()


def check_expressible(schedule: schedules.Schedule, pattern: Pattern, scope: Scope) -> None:
    """Check, before training, that a pattern can express what schedule and scope will ask for.

    Raises:
        ValueError: If it cannot, with what it can.
    """
    final, highest = schedule.bounds()[1], pattern.highest((1, 1))
    if scope.asks(final) <= highest + 1e-9:
        return
    argument, given = ("schedule", schedule) if final > highest + 1e-9 else ("scope", scope)
    raise bad_value(
        argument,
        f"sparsities of at most {highest:.4g}, which is what {pattern!r} can express",
        given,
        "Let it end there, or take another pattern.",
    )


def checked_dynamics(dynamics: Any, pattern: Pattern) -> Dynamics | None:
    """Check what moves the masks, which only single weights do.

    Raises:
        TypeError: If it is of another type.
        ValueError: If the name is not known, or the pattern another one.
    """
    found = get_dynamics(dynamics)
    if found is not None and not isinstance(pattern, Weight):
        raise bad_value("dynamics", "'gradual' with any pattern but 'weight'", dynamics)
    return found


def checked_folder(argument: str, folder: Any) -> str | None:
    """Check a path or `None`, and give it as a string.

    Raises:
        TypeError: If it is something else.
    """
    if folder is not None and not isinstance(folder, (str, os.PathLike)):
        raise bad_type(argument, "a path or None", folder)
    return None if folder is None else os.fspath(folder)


def as_plain(value: Any) -> Any:
    """Give an argument as plain data where it is one of our small objects."""
    return serialization.serialize(value) if isinstance(value, Configured) else value


def made_again(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give the arguments from what `as_plain` made of each."""
    arguments = dict(config)
    for name, value in config.items():
        if not (isinstance(value, Mapping) and "class_name" in value):
            continue
        if name == "schedule":
            arguments[name] = schedules.deserialize(value, custom_objects)
        elif name in _REGISTRIES:
            arguments[name] = _REGISTRIES[name].deserialize(value, custom_objects)
    return arguments
