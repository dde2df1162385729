"""A kernel of any rank as a matrix of inputs by outputs."""

from typing import Any

from numpy.typing import NDArray


def as_matrix(array: NDArray[Any]) -> NDArray[Any]:
    """Give a kernel as (all axes but the last, last): for a convolution (spatial x in, out).

    Example:
    >>> import numpy as np
    >>> as_matrix(np.zeros((3, 3, 8, 16))).shape, as_matrix(np.zeros(5)).shape
    ((72, 16), (5, 1))
    """
    if array.ndim < 2:
        return array.reshape(-1, 1)
    return array.reshape(-1, array.shape[-1])


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Give the shape that `as_matrix` gives."""
    size = 1
    for length in shape:
        size *= length
    columns = shape[-1] if len(shape) > 1 else 1
    return (size // columns if columns else 0), columns
