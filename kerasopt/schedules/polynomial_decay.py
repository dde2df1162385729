"""Along a polynomial: the gradual pruning of Zhu & Gupta."""

from typing import Any

from kerasopt._core.checks import positive
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.ramp import Ramp


class PolynomialDecay(Ramp):
    r"""From `initial` to `final` along a polynomial: fast at first, slower towards the end.

    s(t) = final + (initial - final) (1 - (t - begin) / (end - begin)) ** power

    With `power=3` this is the gradual pruning of Zhu & Gupta (2017), "To prune, or not to prune".
    Before `begin` the value is `initial`, after `end` it is `final`.

    | step | 100 | 102 | 105 | 110 |
    |---|---|---|---|---|
    | `PolynomialDecay(0.2, 0.8, begin=100, end=110)` | 0.2 | 0.4928 | 0.725 | 0.8 |

    Args:
        initial: Float, the value at `begin`.
        final: Float, the value at `end`.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        power: Float > 0. Defaults to `3`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or
            power is not positive.

    Example:
    >>> schedule = PolynomialDecay(0.2, 0.8, begin=100, end=110)
    >>> [round(schedule(step), 4) for step in (0, 100, 102, 105, 110, 500)]
    [0.2, 0.2, 0.4928, 0.725, 0.8, 0.8]
    >>> PolynomialDecay(0.0, 0.8, begin=0.1, end="3 epochs").resolve(200, steps_per_epoch=20)
    PolynomialDecay(initial=0.0, final=0.8, begin=20, end=60, power=3.0)
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        power: float = 3,
    ):
        super().__init__(initial, final, begin, end)
        self.power = positive("power", power)

    def _left(self, u: float) -> float:
        return float((1.0 - u) ** self.power)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {**super().get_config(), "power": self.power}
