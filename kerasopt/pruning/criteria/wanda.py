"""By weights and activations, without training."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion
from kerasopt.pruning.matrix import as_matrix


class Wanda(Criterion):
    """|w| times the L2 norm of the input it is multiplied with, over calibration data.

    (Sun et al., 2023, "A Simple and Effective Pruning Approach for Large Language Models"). It
    needs no gradients. As in the paper weights are compared with those of the same output: what is
    given is the share of them that score lower, so that every output loses as much. Weights that
    are zero already score below all others, so that a mask chosen anew at a higher sparsity lies
    within the one before. Where whole blocks or channels go, the products themselves are compared.

    Example:
    >>> Wanda().scores(np.array([[1.0], [3.0]]), Context(input_norm=np.array([[5.0], [2.0]])))
    array([[0. ],
           [0.5]])
    """

    needs: ClassVar[tuple[str, ...]] = ("input_norm",)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the scores."""
        assert context.input_norm is not None
        products: NDArray[Any] = np.abs(weights) * context.input_norm
        if context.grouped:
            return products
        scores = as_matrix(products)
        # Of equals the first one scores higher.
        order = np.argsort(scores[::-1], axis=0, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(len(scores))[:, None], axis=0)
        shares = ranks[::-1] / max(len(scores), 1)
        shares[as_matrix(weights) == 0] -= 1.0
        shares[np.isnan(scores)] = np.nan  # a rank would hide it
        return shares.reshape(weights.shape)
