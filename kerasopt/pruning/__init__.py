"""Pruning: masks from weights, held inside the train step."""

from kerasopt.pruning.callback import Pruning
from kerasopt.pruning.mask import mask
from kerasopt.pruning.measure import Sparsity, sparsity

__all__ = ["Pruning", "Sparsity", "mask", "sparsity"]
