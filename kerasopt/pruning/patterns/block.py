"""Blocks of weights."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least, one_of
from kerasopt.pruning.patterns.pattern import Pattern, as_matrix, matrix_shape


class Block(Pattern):
    """Rectangles of weights in the kernel as a matrix of (spatial x in, out).

    Args:
        h: Integer >= 1, rows: inputs.
        w: Integer >= 1, columns: outputs.
        pooling: `"mean"` or `"max"` of the scores in a block. At the edge of a kernel that a block
            does not divide it is that of the weights that are there. Defaults to `"mean"`.

    Raises:
        TypeError: If `h` or `w` is no integer.
        ValueError: If one is below 1, or `pooling` another word.

    Example:
    >>> import numpy as np
    >>> Block(2, 2).units(np.arange(8.0).reshape(2, 4))
    array([[2.5, 4.5]])
    """

    groups: ClassVar[bool] = True

    def __init__(self, h: int, w: int, pooling: str = "mean"):
        self.h = at_least("h", h, 1)
        self.w = at_least("w", w, 1)
        self.pooling = one_of("pooling", pooling, ("mean", "max"))

    def units(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Give the pooled score of each block, as a matrix."""
        matrix = as_matrix(scores)
        pooled = self._pooled(self._pooled(matrix, self.h).T, self.w).T
        return pooled / self._counts(matrix.shape) if self.pooling == "mean" else pooled

    def expand(self, kept: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Give each weight what its block has."""
        rows, columns = matrix_shape(shape)
        wide = kept.repeat(self.w, axis=1)[:, :columns].repeat(self.h, axis=0)[:rows]
        return wide.reshape(shape)

    def sizes(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Give how many weights each block has."""
        return self._counts(matrix_shape(shape))

    def padded(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the blocks do not divide the kernel."""
        return any(length % step for length, step in self._steps(matrix_shape(shape)))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal pattern, as plain data."""
        return {"h": self.h, "w": self.w, "pooling": self.pooling}

    def _pooled(self, matrix: NDArray[Any], step: int) -> NDArray[Any]:
        """Pool `step` rows into one; much faster than NumPy's `reduceat`."""
        pool = np.maximum if self.pooling == "max" else np.add
        pooled = matrix[::step].copy("K")
        for start in range(1, min(step, len(matrix))):
            part = matrix[start::step]
            pool(pooled[: len(part)], part, out=pooled[: len(part)])
        return pooled

    def _steps(self, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        return [(shape[0], self.h), (shape[1], self.w)]

    def _counts(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        along = [
            np.minimum(step, length - np.arange(0, length, step))
            for length, step in self._steps(shape)
        ]
        return np.outer(*along)
