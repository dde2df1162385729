"""Schedules of tensorflow-model-optimization, accepted as they are."""

from typing import Any, Self

import numpy as np

from kerasopt._core.checks import bad_type
from kerasopt.schedules.schedule import Schedule


class Foreign(Schedule):
    """An object with the interface of tfmot's `PruningSchedule`, as a schedule.

    Called with a step it gives a pair: whether masks are to be chosen anew, and the sparsity. They
    are chosen at the steps it says, and also at its `end_step`, where tfmot may miss the last
    value.

    Args:
        schedule: The object: callable, with `begin_step` and `end_step` (-1 for no end) if it has
            them.

    Raises:
        TypeError: If it is not callable, or does not give such a pair.

    Example:
    >>> class Half:
    ...     begin_step, end_step = 100, -1
    ...     def __call__(self, step):
    ...         return step >= 100 and step % 10 == 0, 0.5
    >>> schedule = Foreign(Half())
    >>> schedule(200), schedule.due(101, 109), schedule.due(101, 110)
    (0.5, False, True)
    """

    def __init__(self, schedule: Any):
        expected = "a schedule as tfmot's: callable, `schedule(step) -> (should_prune, sparsity)`"
        if not callable(schedule) or isinstance(schedule, type):
            raise bad_type("schedule", expected, schedule)
        self.schedule = schedule
        begin = int(getattr(schedule, "begin_step", 0))
        end = int(getattr(schedule, "end_step", -1))
        try:
            _, value = schedule(begin)
            float(np.asarray(value))
        except (TypeError, ValueError) as error:
            raise bad_type("schedule", expected, schedule, f"It says: {error}") from error
        super().__init__(begin, None if end < 0 else end)

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        end = self.end
        return float(np.asarray(self.schedule(step if end is None else min(step, end))[1]))

    def due(self, before: int, now: int) -> bool:
        """Tell whether it wants masks anew after step `before` and not after step `now`."""
        begin, end = self.steps
        if end is not None and before < end <= now:
            return True
        if end is not None and before >= end:
            return False
        return any(bool(self.schedule(step)[0]) for step in range(max(before + 1, begin), now + 1))

    def bounds(self) -> tuple[float, float]:
        """Give the lowest and highest of the values at 100 steps from its begin to its end."""
        begin, end = self.steps
        steps = np.linspace(begin, begin + 100_000 if end is None else end, 101).astype(int)
        values = [self(int(step)) for step in steps]
        return min(values), max(values)

    def get_config(self) -> dict[str, Any]:
        """Give the object, which is no plain data."""
        return {"schedule": self.schedule}

    def resolve(self, total_steps: int | None, steps_per_epoch: int | None = None) -> Self:
        """Give itself: it counts in steps."""
        del total_steps, steps_per_epoch
        return self
