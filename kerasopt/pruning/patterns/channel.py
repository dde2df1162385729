"""Whole channels."""

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value, is_integer
from kerasopt.pruning.patterns.pattern import Pattern


class Channel(Pattern):
    """Whole output channels (filters, units): what may later be removed for good.

    Args:
        axis: Integer, the axis of the channels in the kernel: -1 for Dense and convolutions, -2 for
            depthwise ones. Defaults to `-1`.

    Raises:
        TypeError: If `axis` is no integer.

    Example:
    >>> import numpy as np
    >>> Channel().units(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2., 3.])
    """

    groups: ClassVar[bool] = True

    def __init__(self, axis: int = -1):
        if not is_integer(axis):
            raise bad_type("axis", "an integer", axis)
        self.axis = int(axis)

    def units(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Give the mean score of each channel."""
        axis = self._axis(scores.shape)
        others = tuple(a for a in range(scores.ndim) if a != axis)
        if not others:
            return scores
        if not scores.size:
            return np.zeros(scores.shape[axis])
        result: NDArray[Any] = scores.mean(axis=others)
        return result

    def expand(self, kept: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Give each weight what its channel has."""
        wide = [1] * len(shape)
        wide[self._axis(shape)] = -1
        return np.ascontiguousarray(np.broadcast_to(kept.reshape(wide), shape))

    def sizes(self, shape: tuple[int, ...]) -> int:
        """Give how many weights a channel has."""
        channels = shape[self._axis(shape)]
        return math.prod(shape) // channels if channels else 0

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal pattern, as plain data."""
        return {"axis": self.axis}

    def _axis(self, shape: tuple[int, ...]) -> int:
        if not -len(shape) <= self.axis < len(shape):
            raise bad_value("axis", f"an axis of the kernel, whose shape is {shape}", self.axis)
        return self.axis % len(shape)
