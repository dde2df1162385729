"""By what the loss would change, to first order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class Taylor(Criterion):
    """|w dL/dw|, averaged over batches: to first order, what the loss would change without w.

    (Molchanov et al., 2017, "Pruning Convolutional Neural Networks for Resource Efficient
    Inference"). Also called the gradient criterion.

    Example:
    >>> gradients = np.array([0.5, -4.0])
    >>> Taylor().scores(np.array([-2.0, 1.0]), Context(gradient_magnitude=np.abs(gradients)))
    array([1., 4.])
    """

    needs: tuple[str, ...] = ("gradient_magnitude",)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give |w| times the mean absolute gradient."""
        assert context.gradient_magnitude is not None
        result: NDArray[Any] = np.abs(weights) * context.gradient_magnitude
        return result
