"""The contract of a schedule: step -> value, from a begin to an end."""

import copy
import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

from kerasopt._checks import bad_value, is_integer, warn
from kerasopt._configured import Configured
from kerasopt.schedules.moments import Moment, amount_of, check_moment, moment_in_steps, unit_of


class Schedule(Configured, ABC):
    """Base of all schedules: a pure function `step -> value` with a begin and an end.

    Derive from it, call `super().__init__(begin, end)`, and write `__call__`, `bounds` and
    `get_config`.

    Args:
        begin: When the value starts to act: int steps, float fraction of the run, `"3 epochs"`.
        end: When it has its last value, in the same forms; `None` for no end.
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
        return self(self.steps[0] if end is None else end)

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
