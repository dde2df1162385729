"""N of every M weights, as sparse hardware wants them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import at_least, bad_value
from kerasopt.pruning.matrix import as_matrix, matrix_shape
from kerasopt.pruning.patterns.pattern import Pattern


class NM(Pattern):
    """Of every `m` neighbours along the input axis at most `m - n` go: `NM(2, 4)` is 2:4 sparsity.

    The kernel counts as a matrix of (spatial x in, out), and neighbours are `m` rows of a column.
    At the sparsity `1 - n / m` each group keeps exactly its `n` best (Mishra et al., 2021,
    "Accelerating Sparse Deep Neural Networks"). Below it, as along a schedule, the worst of those
    that may go are gone. A rest of `r < m` rows keeps `min(n, r)`.

    Args:
        n: Integer >= 1: how many of a group stay.
        m: Integer > `n`: how many make a group.

    Raises:
        TypeError: If one is no integer.
        ValueError: If `n` is below 1 or `m` not above it.

    Example:
    >>> import numpy as np
    >>> NM(2, 4).candidates(np.array([[0.74], [0.89], [1.68], [0.31]])).ravel()
    array([ True, False, False,  True])
    """

    def __init__(self, n: int, m: int):
        self.n = at_least("n", n, 1)
        self.m = at_least("m", m, 2)
        if self.n >= self.m:
            raise bad_value("n", f"an integer below m={self.m}", n)

    def units(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Give the scores as they are: a unit is a weight."""
        return scores

    def expand(self, kept: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Give the mask as it is."""
        return kept.reshape(shape)

    def candidates(self, scores: NDArray[Any]) -> NDArray[np.bool_]:
        """Mark all of a group but its `n` best; among equals the first ones stay."""
        matrix = as_matrix(scores)
        rows, columns = matrix.shape
        whole = -(-rows // self.m) * self.m
        groups = np.full((whole, columns), -np.inf, np.result_type(matrix.dtype, np.float32))
        groups[:rows] = matrix
        groups = groups.reshape(-1, self.m, columns)
        # Stable, so that of equals the first is the best.
        order = np.argsort(-groups, axis=1, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(self.m)[None, :, None], axis=1)
        mask: NDArray[np.bool_] = (ranks >= self.n).reshape(whole, columns)[:rows]
        return mask.reshape(scores.shape)

    def highest(self, shape: tuple[int, ...]) -> float:
        """Give the sparsity at which each group has exactly its `n` best left."""
        rows, columns = matrix_shape(shape)
        full, rest = divmod(rows, self.m)
        kept = (full * self.n + min(self.n, rest)) * columns
        size = rows * columns
        return 1.0 - kept / size if size else 0.0

    def padded(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the last group is smaller than `m`."""
        return bool(matrix_shape(shape)[0] % self.m)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal pattern, as plain data."""
        return {"n": self.n, "m": self.m}
