"""A kernel of any rank as a matrix of inputs by outputs."""

import math
from typing import Any

from numpy.typing import NDArray


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
