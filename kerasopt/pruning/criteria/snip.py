"""By connection sensitivity, before training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class Snip(Criterion):
    """|w dL/dw| of the mean gradient: how sensitive the loss is to a connection.

    (Lee et al., 2019, "SNIP: Single-shot Network Pruning based on Connection Sensitivity"). Meant
    for the start, before any training, with the loss of all batches together; the paper's division
    by the sum of all scores changes no order. For use along training take `Taylor`.

    Example:
    >>> Snip().scores(np.array([-2.0, 1.0]), Context(gradient=np.array([0.5, -4.0])))
    array([1., 4.])
    """

    needs: tuple[str, ...] = ("gradient",)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the absolute product of weight and mean gradient."""
        assert context.gradient is not None
        result: NDArray[Any] = np.abs(weights * context.gradient)
        return result
