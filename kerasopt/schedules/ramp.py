"""Schedules that go from one value to another between two moments."""

from abc import abstractmethod
from typing import Any

from kerasopt._core.checks import bad_type, number
from kerasopt.schedules.moments import FORMS, Moment
from kerasopt.schedules.schedule import Schedule


class Ramp(Schedule):
    """Base of the schedules from `initial` to `final`: derive, and write `_left`.

    Before `begin` the value is `initial`, from `end` on it is `final`, to the last bit.

    Args:
        initial: Float, the value at `begin`.
        final: Float, the value at `end`.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`.
        end: In the same forms.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, or begin is after end.
    """

    def __init__(self, initial: float, final: float, begin: Moment = 0, end: Moment = 1.0):
        if end is None:
            raise bad_type("end", FORMS, end)
        super().__init__(begin, end)
        self.initial = number("initial", initial)
        self.final = number("final", final)

    @abstractmethod
    def _left(self, u: float) -> float:
        """Give what share of the way is left when the share `u` of the time, in (0, 1), is over."""

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        begin, end = self.steps
        assert end is not None
        if step >= end:
            return self.final
        if step <= begin:
            return self.initial
        left = self._left((step - begin) / (end - begin))
        return float(self.initial * left + self.final * (1.0 - left))

    def bounds(self) -> tuple[float, float]:
        """Give the lower and the higher of `initial` and `final`."""
        return min(self.initial, self.final), max(self.initial, self.final)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {
            "initial": self.initial,
            "final": self.final,
            "begin": self.begin,
            "end": self.end,
        }
