"""Which pattern the zeros of a kernel have."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.matrix import as_matrix
from kerasopt.pruning.patterns import Block

_GROUPS = ((1, 4), (1, 2), (2, 4), (4, 8))
_FULL = 0.9
_BLOCKS = ((16, 16), (8, 8), (4, 4), (16, 1), (1, 16), (8, 1), (1, 8), (2, 2), (4, 1), (1, 4))


def found_pattern(weights: NDArray[Any], channel_axis: int = -1) -> str:
    """Name the most regular pattern that all zeros of a kernel fit.

    Args:
        weights: Array of any shape, a matrix of (inputs, outputs) with spatial axes before.
        channel_axis: The axis of the output channels. Defaults to `-1`.

    Returns:
        `"dense"` (no zeros), `"channel"` (only whole channels are zero), `"block 4x4"` (only whole
        blocks are), `"2:4"` (no group of four inputs has more than two that are not zero), or
        `"weight"`.

    Example:
    >>> found_pattern(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]]))
    '2:4'
    """
    kept = np.asarray(weights) != 0
    zeros = kept.size - int(np.count_nonzero(kept))
    if not zeros:
        return "dense"
    if kept.ndim > 1 and _by_channel(kept, channel_axis):
        return "channel"
    for h, w in _BLOCKS:
        rows, columns = as_matrix(kept).shape
        if h <= rows and w <= columns and zeros >= h * w and _by_block(kept, Block(h, w)):
            return f"block {h}x{w}"
    for n, m in _GROUPS:
        if _by_group(kept, n, m):
            return f"{n}:{m}"
    return "weight"


def _by_channel(kept: NDArray[np.bool_], axis: int) -> bool:
    others = tuple(a for a in range(kept.ndim) if a != axis % kept.ndim)
    alive = kept.any(axis=others)
    per_channel = kept.size // max(alive.size, 1)
    return int(np.count_nonzero(kept)) == int(alive.sum()) * per_channel


def _by_block(kept: NDArray[np.bool_], block: Block) -> bool:
    alive = block.units(kept.astype(np.float32)) > 0
    return bool((block.expand(alive, kept.shape) == kept).all())


def _by_group(kept: NDArray[np.bool_], n: int, m: int) -> bool:
    matrix = as_matrix(kept)
    rows = len(matrix)
    if rows < m:
        return False
    whole = np.zeros((math.ceil(rows / m) * m, matrix.shape[1]), bool)
    whole[:rows] = matrix
    counts = whole.reshape(-1, m, matrix.shape[1]).sum(1)
    if counts.max() > n:
        return False
    # Very sparse single weights fit as well, by chance: most groups of a pattern are full.
    full = counts[: rows // m]
    return bool((full == n).mean() >= _FULL)
