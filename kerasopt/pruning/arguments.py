"""The arguments of `Pruning`, checked."""

import numbers
from typing import Any

from kerasopt import schedules
from kerasopt._checks import bad_type, bad_value, one_of
from kerasopt.pruning.patterns import Pattern

_SHARES = "A sparsity is a share: write 0.8 for 80 %."


def checked_schedule(schedule: Any) -> schedules.Schedule:
    """Check a schedule of sparsities; a number is the end of a gradual one, `"keep"` none.

    Raises:
        TypeError: If it is neither.
        ValueError: If it leaves [0, 1).
    """
    if isinstance(schedule, str):
        one_of("schedule", schedule, ["keep"])
        return schedules.Constant(0.0)
    if isinstance(schedule, schedules.Schedule):
        low, high = schedule.bounds()
        if low < 0.0 or high >= 1.0:
            raise bad_value("schedule", "sparsities in [0, 1)", schedule, _SHARES)
        return schedule
    if callable(schedule) and not isinstance(schedule, type):
        return checked_schedule(schedules.Foreign(schedule))
    if isinstance(schedule, bool) or not isinstance(schedule, numbers.Real):
        expected = "a kerasopt.schedules.Schedule, one of tfmot's, a float in [0, 1) or 'keep'"
        raise bad_type("schedule", expected, schedule)
    final = float(schedule)
    if not 0.0 <= final < 1.0:
        raise bad_value("schedule", "a sparsity in [0, 1)", schedule, _SHARES)
    return schedules.PolynomialDecay(0.0, final, begin=0, end=0.75)


def check_expressible(schedule: schedules.Schedule, pattern: Pattern) -> None:
    """Check, before training, that a pattern can express what a schedule will ask for.

    Raises:
        ValueError: If it cannot, with what it can.
    """
    wanted, highest = schedule.bounds()[1], pattern.highest((1, 1))
    if wanted > highest + 1e-9:
        raise bad_value(
            "schedule",
            f"sparsities of at most {highest:.4g}, which is what {pattern!r} can express",
            schedule,
            "Let the schedule end there, or take another pattern.",
        )
