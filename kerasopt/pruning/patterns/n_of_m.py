"""N of every M weights, as sparse hardware wants them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least, bad_value
from kerasopt.pruning.patterns.pattern import Pattern, as_matrix, matrix_shape

_FEW = 16


class NM(Pattern):
    """Of every `m` neighbours along the input axis at most `m - n` go: `NM(2, 4)` is 2:4 sparsity.

    The kernel counts as a matrix of (spatial x in, out), and neighbours are `m` rows of a column.
    At the sparsity `1 - n / m` each group keeps exactly its `n` best (Mishra et al., 2021,
    "Accelerating Sparse Deep Neural Networks"). Below it, as along a schedule, the worst of those
    that may go are gone. A rest of `r < m` rows keeps `min(n, r)`, so a kernel that `m` does not
    divide, such as one on three colours, ends a little denser.

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
        full = rows // self.m
        whole = full * self.m
        mask = np.empty(matrix.shape, bool)
        groups = (full, self.m, columns)
        _mark_all_but(self.n, matrix[:whole].reshape(groups), mask[:whole].reshape(groups))
        _mark_all_but(self.n, matrix[None, whole:], mask[None, whole:])
        return mask.reshape(scores.shape)

    def highest(self, shape: tuple[int, ...]) -> float:
        """Give the sparsity at which each group has exactly its `n` best left."""
        del shape
        return 1.0 - self.n / self.m

    def padded(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the last group is smaller than `m`."""
        return bool(matrix_shape(shape)[0] % self.m)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal pattern, as plain data."""
        return {"n": self.n, "m": self.m}


def _mark_all_but(n: int, groups: NDArray[Any], mask: NDArray[np.bool_]) -> None:
    """Mark all but the `n` best of each group of an array (groups, members, columns)."""
    members = groups.shape[1]
    if members > _FEW:
        # Stable, so that of equals the first is the best.
        order = np.argsort(-groups, axis=1, kind="stable")
        mask[:] = np.argsort(order, axis=1) >= n
        return
    # How many are better: the earlier ones, until they turn out to be worse. Each with each, this
    # takes a fiftieth of the time of sorting for groups of four.
    better = np.empty((members, len(groups), groups.shape[2]), np.int8)
    better[:] = np.arange(members, dtype=np.int8)[:, None, None]
    for late in range(1, members):
        for early in range(late):
            wins = (groups[:, late] > groups[:, early]).view(np.int8)
            better[early] += wins
            better[late] -= wins
    for member in range(members):
        np.greater_equal(better[member], n, out=mask[:, member])
