"""The contract of a pattern: in what shape weights go."""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.serialization import Configured


class Pattern(Configured, ABC):
    """Base of all patterns: weights belong to units, and a unit stays or goes as a whole.

    Derive from it and write `units` and `expand`; `candidates` and `highest` where not any units
    may go.
    """

    groups: ClassVar[bool] = False
    """Whether a unit has several weights."""

    @abstractmethod
    def units(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Give one score a unit for the scores of all weights, both >= 0 or not; higher stays."""

    @abstractmethod
    def expand(self, kept: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Give the mask of weights for a mask of units."""

    def sizes(self, shape: tuple[int, ...]) -> NDArray[np.int64] | int:
        """Give how many weights a unit of a kernel has: one number, or one a unit."""
        del shape
        return 1

    def candidates(self, scores: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Tell which units may go, given their scores; `None` if any of them may."""
        del scores
        return None

    def highest(self, shape: tuple[int, ...]) -> float:
        """Give the highest sparsity that it can express; 1.0 if there is none.

        At it the units that stay are those that are no candidates. These may be more than the
        sparsity says where the pattern does not divide the kernel.
        """
        del shape
        return 1.0

    def padded(self, shape: tuple[int, ...]) -> bool:
        """Tell whether units at the edge of a kernel are not whole."""
        del shape
        return False


def as_matrix(array: NDArray[Any]) -> NDArray[Any]:
    """Give a kernel as (all axes but the last, last): for a convolution (spatial x in, out).

    Example:
    >>> import numpy as np
    >>> as_matrix(np.zeros((3, 3, 8, 16))).shape, as_matrix(np.zeros(5)).shape
    ((72, 16), (5, 1))
    """
    return array.reshape(matrix_shape(array.shape))


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Give the shape that `as_matrix` gives."""
    if len(shape) < 2:
        return math.prod(shape), 1
    return math.prod(shape[:-1]), shape[-1]
