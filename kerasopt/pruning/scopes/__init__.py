"""Scopes: how kernels share a sparsity."""

from kerasopt.pruning.scopes.dense_ends import DenseEnds
from kerasopt.pruning.scopes.erk import Erk, erk_densities
from kerasopt.pruning.scopes.everywhere import Global
from kerasopt.pruning.scopes.named import Named
from kerasopt.pruning.scopes.per_layer import PerLayer
from kerasopt.pruning.scopes.registry import deserialize, get, serialize
from kerasopt.pruning.scopes.scope import Kernel, Scope

__all__ = [
    "DenseEnds",
    "Erk",
    "Global",
    "Kernel",
    "Named",
    "PerLayer",
    "Scope",
    "deserialize",
    "erk_densities",
    "get",
    "serialize",
]
