"""The same value throughout."""

from typing import Any

from kerasopt._core.checks import number
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.schedule import Schedule


class Constant(Schedule):
    """The same value throughout.

    Args:
        value: Float.
        begin: When it starts to act: int steps, float fraction of the run, or `"3 epochs"`.
            Defaults to `0`.
        end: When it stops being applied anew; `None` for never. Defaults to `None`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `value` is not finite, a moment is out of range, or begin is after end.

    Example:
    >>> Constant(0.5, begin=100)(250)
    0.5
    """

    def __init__(self, value: float, begin: Moment = 0, end: Moment | None = None):
        super().__init__(begin, end)
        self.value = number("value", value)

    def __call__(self, step: int) -> float:  # noqa: ARG002
        """Give the value."""
        return self.value

    def bounds(self) -> tuple[float, float]:
        """Give the value twice."""
        return self.value, self.value

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {"value": self.value, "begin": self.begin, "end": self.end}
