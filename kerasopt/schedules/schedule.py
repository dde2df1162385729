"""The contract of a schedule: step -> value, from a begin to an end."""

import copy
import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

from kerasopt._core.checks import bad_value, is_integer, warn
from kerasopt._core.serialization import Configured
from kerasopt.schedules.moments import Moment, amount_of, check_moment, moment_in_steps, unit_of

_FAR = 100_000  # steps at which a schedule without an end is looked at, where a run has none
_LEAST = 1e-4


class Schedule(Configured, ABC):
    """Base of all schedules: a pure function `step -> value` with a begin and an end.

    Derive from it, call `super().__init__(begin, end)`, and write `__call__`, `bounds` and
    `get_config`.

    Args:
        begin: When the value starts to act: int steps, float fraction of the run, `"3 epochs"`.
        end: When it has its last value, in the same forms; `None` for no end: the callbacks then
            look for the step from which on the value no longer changes.
    """

    def __init__(self, begin: Moment, end: Moment | None):
        self.begin: Moment = check_moment("begin", begin)
        self.end: Moment | None = None if end is None else check_moment("end", end)
        if self.end == 1 and is_integer(self.end):
            warn(f"{type(self).__name__}: `end=1` is one step. Write `end=1.0` for the whole run.")
        if self.end is not None and unit_of(self.begin) == unit_of(self.end):
            self._check_order(amount_of(self.begin), amount_of(self.end))

    def _check_order(self, begin: Any, end: Any) -> None:
        if begin > end:
            raise bad_value("begin", f"a moment not after end={self.end!r}", self.begin)

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Give the value after `step` steps (`resolve` first where moments are not in steps)."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Give the lowest and the highest value that the schedule can take."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""

    @property
    def last(self) -> float:
        """The value at the end."""
        end = self.steps[1]
        return self(self.settles() if end is None else end)

    def settles(self, total_steps: int | None = None) -> int:
        """Give the step from which on the value stays what it is: `end`, where there is one.

        Where there is none, the values at 101 steps of the run tell, and then those between the
        last two that differ by more than 0.0001. A value that never stops changing settles at the
        end of the run.

        Args:
            total_steps: Steps of the run. Defaults to `None`: unknown, 100,000 from `begin` on are
                looked at.

        Raises:
            ValueError: If moments are fractions or epochs, and the schedule was not resolved.
        """
        begin, end = self.steps
        if end is not None:
            return end
        last = begin + _FAR if total_steps is None or total_steps <= begin else total_steps
        final = self(last)

        def is_moving(step: int) -> bool:
            return abs(self(step) - final) > _LEAST

        steps = [begin + (last - begin) * number // 100 for number in range(101)]
        moving = [number for number, step in enumerate(steps) if is_moving(step)]
        if not moving:
            return begin
        before, after = steps[moving[-1]], steps[moving[-1] + 1]
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if is_moving(middle) else (before, middle)
        return after

    def resolve(self, total_steps: int | None, steps_per_epoch: int | None = None) -> Self:
        """Give the same schedule with `begin` and `end` in steps, now that the run is known.

        Args:
            total_steps: Steps of the whole run, or `None` where that is unknown.
            steps_per_epoch: Steps of an epoch, or `None` where that is unknown.

        Returns:
            A new schedule.

        Raises:
            ValueError: If a moment needs the run's length and that is unknown, or the begin
                comes after the end.
        """
        begin = moment_in_steps("begin", self.begin, total_steps, steps_per_epoch)
        end = None
        if self.end is not None:
            end = moment_in_steps("end", self.end, total_steps, steps_per_epoch)
            self._check_order(begin, end)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._between(begin, end)

    def _between(self, begin: int, end: int | None) -> Self:
        """Give the same schedule with other moments."""
        # Not made anew by its arguments: those of a user's subclass are known to it alone.
        other = copy.copy(self)
        other.begin, other.end = begin, end
        return other

    @property
    def steps(self) -> tuple[int, int | None]:
        """The begin and the end in steps.

        Raises:
            ValueError: If they are fractions or epochs, and the schedule was not resolved.
        """
        begin, end = self.begin, self.end
        if is_integer(begin) and (end is None or is_integer(end)):
            return begin, end
        raise ValueError(
            f"{self!r} counts in fractions or epochs: call `resolve(total_steps, "
            "steps_per_epoch)` first, which the callbacks do when `fit` begins."
        )
