"""Along an exponential: curriculum dropout."""

import math
from typing import Any

from kerasopt._core.checks import positive
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.ramp import Ramp


class Exponential(Ramp):
    r"""From `initial` to `final` along an exponential: fast at first, ever slower towards the end.

    s(t) = initial + (final - initial) (1 - exp(-decay u)) / (1 - exp(-decay)),
    with u = (t - begin) / (end - begin)

    Before `begin` the value is `initial`, after `end` it is `final`. As a dropout rate from 0 with
    `decay=10` this is the curriculum of Morerio et al. (2017, "Curriculum Dropout"), but for a part
    of 5e-5, by which theirs never quite arrives.

    | step | 0 | 10 | 50 | 100 |
    |---|---|---|---|---|
    | `Exponential(0.0, 0.5, begin=0, end=100)` | 0 | 0.3161 | 0.4967 | 0.5 |

    Args:
        initial: Float, the value at `begin`.
        final: Float, the value at `end`.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        decay: Float > 0. How steep it begins; near 0 it is a straight line. Defaults to `10`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or
            decay is not positive.

    Example:
    >>> schedule = Exponential(0.0, 0.5, begin=0, end=100)
    >>> [round(schedule(step), 4) for step in (0, 10, 50, 100, 200)]
    [0.0, 0.3161, 0.4967, 0.5, 0.5]
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        decay: float = 10,
    ):
        super().__init__(initial, final, begin, end)
        self.decay = positive("decay", decay)

    def _left(self, u: float) -> float:
        # With a ratio of `expm1`s it keeps its digits where `decay` is small.
        ratio = math.expm1(-self.decay * (1.0 - u)) / math.expm1(-self.decay)
        return math.exp(-self.decay * u) * ratio

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {**super().get_config(), "decay": self.decay}
