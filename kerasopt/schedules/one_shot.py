"""All at once."""

from typing import Any, Self

from kerasopt._core.checks import number
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.schedule import Schedule


class OneShot(Schedule):
    """Nothing before one moment, and the whole value from then on.

    Args:
        value: Float.
        at: When: int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `value` is not finite or the moment out of range.

    Example:
    >>> [OneShot(0.8, at=100)(step) for step in (0, 99, 100, 200)]
    [0.0, 0.0, 0.8, 0.8]
    """

    def __init__(self, value: float, at: Moment = 0):
        super().__init__(at, at)
        self.value = number("value", value)

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        return self.value if step >= self.steps[0] else 0.0

    def bounds(self) -> tuple[float, float]:
        """Give 0 and the value, in order."""
        return min(0.0, self.value), max(0.0, self.value)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {"value": self.value, "at": self.begin}

    def _between(self, begin: int, end: int | None) -> Self:  # noqa: ARG002
        return super()._between(begin, begin)
