"""Points in a run: in steps, as a fraction of the run, or in epochs."""

import numbers
import re
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, is_integer

Moment = int | float | str

_WORDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(epochs?|steps?)\s*")
FORMS = 'an int >= 0 (steps), a float in [0, 1] (fraction of the run) or a string as "3 epochs"'


def check_moment(argument: str, moment: Any) -> Moment:
    """Check a point in a run as the user gave it.

    Args:
        argument: Name of the user's argument.
        moment: Int >= 0, in steps; float in [0, 1], a fraction of the run; or `"3 epochs"`,
            `"500 steps"`.

    Returns:
        The same moment, as a plain int, float or string.

    Raises:
        TypeError: If it is of another type.
        ValueError: If it is negative, a fraction above 1, or a string of another form.
    """
    if isinstance(moment, str):
        if not _WORDS.fullmatch(moment):
            raise bad_value(argument, FORMS, moment)
        return moment
    if isinstance(moment, bool) or not isinstance(moment, numbers.Real):
        raise bad_type(argument, FORMS, moment)
    if is_integer(moment):
        if moment < 0:
            raise bad_value(argument, FORMS, moment)
        return int(moment)
    value = float(moment)
    if not 0.0 <= value <= 1.0:
        raise bad_value(argument, FORMS, moment, "Write a number of steps as an int.")
    return value


def moment_in_steps(
    argument: str, moment: Moment, total_steps: int | None, steps_per_epoch: int | None
) -> int:
    """Turn a moment into a number of steps, rounded half to even.

    Args:
        argument: Name of the user's argument.
        moment: A moment that `check_moment` has passed.
        total_steps: Steps of the whole run, or `None` where that is unknown.
        steps_per_epoch: Steps of one epoch, or `None` where that is unknown.

    Returns:
        Steps since the beginning of the run; a fraction of 1.0 is `total_steps`.

    Raises:
        ValueError: If the run's length is needed and unknown.

    Example:
    >>> [moment_in_steps("end", m, 200, 20) for m in (7, 0.5, 1.0, "3 epochs", "9 steps")]
    [7, 100, 200, 60, 9]
    """
    if isinstance(moment, str):
        match = _WORDS.fullmatch(moment)
        assert match is not None
        number, unit = float(match[1]), match[2]
        if unit.startswith("step"):
            return round(number)
        length = steps_per_epoch
    elif isinstance(moment, float):
        number, length = moment, total_steps
    else:
        return moment
    if length is None:
        raise bad_value(
            argument,
            "an int number of steps, because the length of this run is unknown",
            moment,
            "The data has no length (a generator, or a dataset of unknown size): give steps, or "
            "pass `steps_per_epoch` to `fit`.",
        )
    return round(number * length)


def unit_of(moment: Moment) -> str:
    """Give what a moment counts in: `"step"`, `"epoch"` or `"run"`."""
    if isinstance(moment, str):
        match = _WORDS.fullmatch(moment)
        assert match is not None
        return match[2].rstrip("s")
    return "run" if isinstance(moment, float) else "step"


def amount_of(moment: Moment) -> float:
    """Give how many of its units a moment is."""
    if not isinstance(moment, str):
        return moment
    match = _WORDS.fullmatch(moment)
    assert match is not None
    return float(match[1])
