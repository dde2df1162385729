"""By weights and activations, without training."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.criteria.criterion import Context, Criterion


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

    needs: tuple[str, ...] = ("input_norm",)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the scores."""
        assert context.input_norm is not None
        products: NDArray[Any] = np.abs(weights) * context.input_norm
        if context.grouped:
            return products
        scores = _by_output(products, context.outputs)
        # Of equals the first one scores higher.
        order = np.argsort(scores[::-1], axis=0, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(len(scores))[:, None], axis=0)
        shares = ranks[::-1] / max(len(scores), 1)
        shares[np.isnan(scores)] = np.nan  # a rank would hide it
        result = _back(shares, context.outputs, weights.shape)
        result[weights == 0] -= 1.0
        return result


def _order(rank: int, outputs: tuple[int, ...]) -> list[int]:
    """Give the axes with those of the outputs last."""
    last = [axis % rank for axis in outputs]
    return [axis for axis in range(rank) if axis not in last] + last


def _by_output(array: NDArray[Any], outputs: tuple[int, ...]) -> NDArray[Any]:
    """Give an array as a matrix with one column an output."""
    if array.ndim < 2:
        return array.reshape(-1, 1)
    turned = np.transpose(array, _order(array.ndim, outputs))
    columns = math.prod(turned.shape[-len(outputs) :])
    return turned.reshape(array.size // max(columns, 1), columns)


def _back(matrix: NDArray[Any], outputs: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    """Give what `_by_output` made of an array of this shape its axes again."""
    if len(shape) < 2:
        return matrix.reshape(shape)
    order = _order(len(shape), outputs)
    return np.transpose(matrix.reshape([shape[axis] for axis in order]), np.argsort(order))
