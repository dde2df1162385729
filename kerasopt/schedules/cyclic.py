"""Back and forth along a wave."""

import math
from typing import Any

from kerasopt._core.checks import at_least
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.ramp import Ramp


class Cyclic(Ramp):
    r"""To `final` and back to `initial`, several times, and to `final` in the end.

    s(t) = final + (initial - final) (1 + cos((2 cycles - 1) pi u)) / 2,
    with u = (t - begin) / (end - begin)

    As a sparsity it gives weights a chance to come back (Han et al., 2017, "DSD: Dense-Sparse-Dense
    Training for Deep Neural Networks").

    Args:
        initial: Float, the value at `begin` and before.
        final: Float, the value at `end` and after.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        cycles: Integer >= 1, how often it reaches `final`; with 1 it is `Cosine`. Defaults to `3`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or
            `cycles` is below 1.

    Example:
    >>> schedule = Cyclic(0.0, 0.8, begin=0, end=100, cycles=3)
    >>> [round(schedule(step), 4) for step in (0, 20, 40, 60, 80, 100)]
    [0.0, 0.8, 0.0, 0.8, 0.0, 0.8]
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        cycles: int = 3,
    ):
        super().__init__(initial, final, begin, end)
        self.cycles = at_least("cycles", cycles, 1)

    def _left(self, u: float) -> float:
        return (1.0 + math.cos((2 * self.cycles - 1) * math.pi * u)) / 2.0

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {**super().get_config(), "cycles": self.cycles}
