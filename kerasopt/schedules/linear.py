"""Along a straight line."""

from kerasopt.schedules.ramp import Ramp


class Linear(Ramp):
    r"""From `initial` to `final` along a straight line.

    s(t) = initial + (final - initial) u, with u = (t - begin) / (end - begin)

    Args:
        initial: Float, the value at `begin` and before.
        final: Float, the value at `end` and after.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, or begin is after end.

    Example:
    >>> [Linear(0.0, 0.8, begin=0, end=100)(step) for step in (0, 25, 50, 100, 200)]
    [0.0, 0.2, 0.4, 0.8, 0.8]
    """

    def _left(self, u: float) -> float:
        return 1.0 - u
