"""Weights that are zero already below all others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class ZerosLast(Criterion):
    """Another criterion, with zero weights ranked below all others.

    Scores may be negative, as movement's are: a zero, whose score is 0, would stay in the place of
    a weight. So a model that is sparse already loses only what is missing.

    Args:
        criterion: The other one.
        again: Whether zeros that it cannot tell apart come back by chance (or where the gradient is
            largest, if it is known), as where a schedule falls; else the first ones do.

    Example:
    >>> from kerasopt.pruning.criteria.gradient import Movement
    >>> context = Context(moved=np.array([-3.0, 0.0, 1.0]))
    >>> ZerosLast(Movement()).scores(np.array([0.5, 0.0, 0.5]), context)
    array([-3., -6.,  1.])
    """

    def __init__(self, criterion: Criterion, again: bool = False):
        self.criterion = criterion
        self.again = again
        self.needs = criterion.needs

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the scores."""
        scores = np.array(self.criterion.scores(weights, context))
        zeros = np.asarray(weights) == 0
        if scores.shape != zeros.shape or not zeros.any():
            return scores
        if scores.dtype.kind != "f":
            scores = scores.astype(np.float64)
        known = scores[zeros]
        apart = np.zeros(known.shape, scores.dtype)
        if known.min() < known.max():
            apart = (known - known.min()) / (known.max() - known.min())
        elif self.again:
            apart = _order(zeros, context).astype(scores.dtype)
        others = scores[~zeros]
        lowest = float(others.min()) if others.size else 0.0
        if lowest == np.inf:
            lowest = 0.0
        scores[zeros] = lowest - max(1.0, abs(lowest)) * (1.0 - 0.5 * apart)
        return scores

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal criterion."""
        return {"criterion": self.criterion, "again": self.again}


def _order(zeros: NDArray[np.bool_], context: Context) -> NDArray[Any]:
    """Give each zero weight a number in [0, 1): the larger comes back first."""
    if context.gradient is not None:
        steep = np.abs(np.broadcast_to(context.gradient, zeros.shape)[zeros])
        below_one: NDArray[Any] = steep / (1.0 + steep)
        return below_one
    name = int.from_bytes(context.name.encode(), "little")
    return np.random.default_rng([context.draw, name]).random(int(zeros.sum()))
