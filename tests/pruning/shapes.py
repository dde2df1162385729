"""What pattern a mask has, for the tests of pruning; counted here, without the patterns' code."""

import numpy as np

from kerasopt.pruning.masks.kernel_layout import layout_of
from kerasopt.pruning.patterns.pattern import as_matrix


def mask_matrices(pruning):
    """Give the mask of each kernel as a matrix of inputs by outputs, by path.

    The masks count, not the weights: one that came back may be zero.
    """
    masks = pruning.get_state()["masks"]
    assert set(masks) == {target.path for target in pruning.selection}
    found = {}
    for target in pruning.selection:
        kept = masks[target.path]
        assert not np.asarray(target.variable)[~kept].any()
        found[target.path] = as_matrix(layout_of(target.layer, target.variable).view(kept))
    return found


def is_two_of_four(matrix):
    """Tell whether each whole group of 4 rows keeps 2 of a column, and the rest no more."""
    whole = len(matrix) // 4 * 4
    groups = matrix[:whole].reshape(-1, 4, matrix.shape[1]).sum(1)
    return bool((groups == 2).all() and (matrix[whole:].sum(0) <= 2).all())


def blocks(matrix, h=2, w=2):
    """Give the blocks of a matrix; those at the edge may be smaller."""
    rows, columns = (range(0, size, step) for size, step in zip(matrix.shape, (h, w), strict=True))
    return [matrix[row : row + h, column : column + w] for row in rows for column in columns]


def is_of_blocks(matrix):
    """Tell whether every block of 2 x 2 stays or goes as a whole."""
    return all(block.all() or not block.any() for block in blocks(matrix))


def is_of_channels(matrix):
    """Tell whether every column stays or goes as a whole."""
    return bool((matrix.all(0) | ~matrix.any(0)).all())


FITS = {"2:4": is_two_of_four, "block_2x2": is_of_blocks, "channel": is_of_channels}
