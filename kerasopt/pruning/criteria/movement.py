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
