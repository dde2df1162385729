"""Along a sigmoid: one-cycle pruning."""

import math
from typing import Any

from kerasopt._core.checks import number, positive
from kerasopt.schedules.moments import Moment
from kerasopt.schedules.ramp import Ramp


class OneCycle(Ramp):
    r"""From `initial` to `final` along a sigmoid: most of the way in the middle of the first half.

    s(t) = initial + (final - initial) (1 + exp(-alpha + beta)) / (1 + exp(-alpha u + beta)),
    with u = (t - begin) / (end - begin)
    (Hubens et al., 2021, "One-Cycle Pruning: Pruning ConvNets Under a Tight Training Budget")

    Args:
        initial: Float, the value at `begin` and before.
        final: Float, the value at `end` and after.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        alpha: Float > 0, how steep it is. Defaults to `14`, as in the paper.
        beta: Float, where: half of the way at `u = beta / alpha`. Defaults to `5`, as in the paper.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or alpha
            is not positive.

    Example:
    >>> [round(OneCycle(0.0, 0.8, begin=0, end=100)(step), 4) for step in (0, 25, 50, 75, 100)]
    [0.0, 0.146, 0.7047, 0.7968, 0.8]
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        alpha: float = 14,
        beta: float = 5,
    ):
        super().__init__(initial, final, begin, end)
        self.alpha = positive("alpha", alpha)
        self.beta = number("beta", beta)

    def _left(self, u: float) -> float:
        return 1.0 - _sigmoid(self.alpha * u - self.beta) / _sigmoid(self.alpha - self.beta)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta}


def _sigmoid(x: float) -> float:
    # The form that does not overflow, for either sign.
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))
