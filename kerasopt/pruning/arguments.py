"""The arguments of `Pruning`, checked."""

import numbers
from typing import Any

from kerasopt import schedules
from kerasopt._checks import bad_type, bad_value
from kerasopt.pruning.criteria import Criterion

_SHARES = "A sparsity is a share: write 0.8 for 80 %."


def checked_schedule(schedule: Any) -> schedules.Schedule:
    """Check a schedule of sparsities; a number is the end of a gradual one.

    Raises:
        TypeError: If it is neither.
        ValueError: If it leaves [0, 1).
    """
    if isinstance(schedule, schedules.Schedule):
        low, high = schedule.bounds()
        if low < 0.0 or high >= 1.0:
            raise bad_value("schedule", "sparsities in [0, 1)", schedule, _SHARES)
        return schedule
    if isinstance(schedule, bool) or not isinstance(schedule, numbers.Real):
        raise bad_type("schedule", "a kerasopt.schedules.Schedule or a float in [0, 1)", schedule)
    final = float(schedule)
    if not 0.0 <= final < 1.0:
        raise bad_value("schedule", "a sparsity in [0, 1)", schedule, _SHARES)
    return schedules.PolynomialDecay(0.0, final, begin=0, end=0.75)


def without_needs(criterion: Criterion) -> Criterion:
    """Check that a criterion can be asked during `fit`, where it gets the weights alone.

    Raises:
        ValueError: If it needs gradients or activations.
    """
    if criterion.needs:
        raise bad_value(
            "criterion",
            "one that needs the weights alone: magnitude, lamp, random, or your own",
            criterion,
            f"It needs {', '.join(criterion.needs)}: collect them yourself and call "
            "`kerasopt.pruning.masks`.",
        )
    return criterion
