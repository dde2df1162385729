"""A list of values, each from its moment on."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

from kerasopt._core.checks import bad_type, bad_value, number
from kerasopt.schedules.moments import Moment, amount_of, check_moment, moment_in_steps, unit_of
from kerasopt.schedules.schedule import Schedule


class Steps(Schedule):
    """Values that hold from their moments on, 0 before the first.

    Args:
        values: List of pairs (moment, value), in the order of the moments: int steps, float
            fraction of the run in [0, 1], or `"3 epochs"`; and a float. A dict does as well.

    Raises:
        TypeError: If `values` is no list of pairs, or a part is of the wrong type.
        ValueError: If it is empty, a value is not finite, or a moment out of range or order.

    Example:
    >>> schedule = Steps([(100, 0.5), (200, 0.75), (300, 0.8)])
    >>> [schedule(step) for step in (0, 100, 199, 200, 1000)]
    [0.0, 0.5, 0.5, 0.75, 0.8]
    """

    def __init__(self, values: Sequence[tuple[Moment, float]] | Mapping[Moment, float]):
        pairs = list(values.items()) if isinstance(values, Mapping) else values
        expected = "a list of pairs (moment, value)"
        if not isinstance(pairs, (list, tuple)):
            raise bad_type("values", expected, values)
        if any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in pairs):
            raise bad_type("values", expected, values)
        if not pairs:
            raise bad_value("values", f"{expected}, at least one", values)
        self.values = [
            (check_moment("values", moment), number("values", value)) for moment, value in pairs
        ]
        for (one, _), (other, _) in zip(self.values, self.values[1:], strict=False):
            if unit_of(one) == unit_of(other) and amount_of(one) >= amount_of(other):
                raise bad_value("values", "moments in order", values)
        super().__init__(self.values[0][0], self.values[-1][0])

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        if step < self.steps[0]:
            return 0.0
        return next(value for at, value in reversed(self.values) if step >= amount_of(at))

    def bounds(self) -> tuple[float, float]:
        """Give the lowest and the highest value, 0 among them."""
        values = [0.0, *(value for _, value in self.values)]
        return min(values), max(values)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {"values": [list(pair) for pair in self.values]}

    def resolve(self, total_steps: int | None, steps_per_epoch: int | None = None) -> Self:
        """Give the same schedule in steps, now that the run is known; see `Schedule.resolve`."""
        # In a run of few steps several fractions are one step: the last of them holds.
        found = {
            moment_in_steps("values", moment, total_steps, steps_per_epoch): value
            for moment, value in self.values
        }
        checked = Steps(list(found.items()))  # that they are in order is known only now
        other = copy.copy(self)
        vars(other).update(vars(checked))
        return other
