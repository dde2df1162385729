"""By magnitude."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class Magnitude(Criterion):
    """|w|: small weights matter least.

    (Han et al., 2015, "Learning both Weights and Connections for Efficient Neural Networks")

    Example:
    >>> Magnitude().scores(np.array([-2.0, 1.0]), Context())
    array([2., 1.])
    """

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the absolute weights."""
        del context
        result: NDArray[Any] = np.abs(weights)
        return result
