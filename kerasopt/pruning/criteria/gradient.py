"""By where training moves a weight."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


class Movement(Criterion):
    """-sum of w dL/dw over the training so far: weights that move away from zero stay.

    (Sanh et al., 2020, "Movement Pruning: Adaptive Sparsity by Fine-Tuning"). For fine-tuning,
    where large weights of the pretrained task may be useless for the new one. Gradients are those
    of the batches of `data` at each choice of masks. A weight that is masked is zero here, so that
    its sum stays; in the paper it keeps its value and its score. `prune` sees its own batches only.

    Example:
    >>> Movement().scores(np.ones(2), Context(moved=np.array([0.5, -0.5])))
    array([ 0.5, -0.5])
    """

    needs: tuple[str, ...] = ("moved",)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the sum."""
        assert context.moved is not None
        return np.broadcast_to(context.moved, weights.shape)


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
