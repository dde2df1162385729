"""By magnitude within the layer, made comparable across layers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class Lamp(Criterion):
    """w^2 over the sum of all w^2 of the layer that are not smaller.

    (Lee et al., 2021, "Layer-Adaptive Sparsity for the Magnitude-based Pruning".) Within a layer it
    keeps what `Magnitude` keeps; it is meant for `scope="global"`. Of equal weights the first one
    scores higher, as if it was larger.

    Example:
    >>> Lamp().scores(np.array([1.0, -2.0, 2.0]), Context()).round(3)
    array([0.111, 1.   , 0.5  ])
    """

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the scores, in float64 as the sums are long."""
        del context
        sizes = np.abs(weights.ravel().astype(np.float64))
        order = np.argsort(-sizes, kind="stable")
        # The sums do not change by it, and huge or tiny weights keep a square.
        falling = np.square(sizes[order] / max(sizes.max(initial=0.0), np.finfo(float).tiny))
        rest = np.cumsum(falling)
        scores = np.empty_like(sizes)
        scores[order] = np.divide(falling, rest, out=np.zeros_like(rest), where=rest > 0)
        return scores.reshape(weights.shape)
