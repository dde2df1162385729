"""Along half a wave of the cosine."""

import math

from kerasopt.schedules.ramp import Ramp


class Cosine(Ramp):
    r"""From `initial` to `final` along half a wave: slow at both ends.

    s(t) = final + (initial - final) (1 + cos(pi u)) / 2, with u = (t - begin) / (end - begin)
    (Loshchilov & Hutter, 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts")

    Args:
        initial: Float, the value at `begin` and before.
        final: Float, the value at `end` and after.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, or begin is after end.

    Example:
    >>> [round(Cosine(0.0, 0.8, begin=0, end=100)(step), 4) for step in (0, 25, 50, 75, 100)]
    [0.0, 0.1172, 0.4, 0.6828, 0.8]
    """

    def _left(self, u: float) -> float:
        return (1.0 + math.cos(math.pi * u)) / 2.0
