"""Pruning: criterion x pattern x scope -> masks, held inside the train step."""

from kerasopt.pruning.api import prune
from kerasopt.pruning.criteria import (
    Context,
    Criterion,
    Lamp,
    Magnitude,
    Movement,
    Random,
    Snip,
    Taylor,
    Wanda,
)
from kerasopt.pruning.iterative import Round, prune_in_rounds
from kerasopt.pruning.masks.compute import mask, masks
from kerasopt.pruning.masks.dynamics import Dynamics, RigL, Set
from kerasopt.pruning.patterns import NM, Block, Channel, Pattern, Weight
from kerasopt.pruning.report.sparsity import Sparsity, sparsity
from kerasopt.pruning.report.xnnpack import SparseInference, sparse_inference
from kerasopt.pruning.scopes import DenseEnds, Erk, Global, Named, PerLayer, Scope

__all__ = [
    "NM",
    "Block",
    "Channel",
    "Context",
    "Criterion",
    "DenseEnds",
    "Dynamics",
    "Erk",
    "Global",
    "Lamp",
    "Magnitude",
    "Movement",
    "Named",
    "Pattern",
    "PerLayer",
    "Random",
    "RigL",
    "Round",
    "Scope",
    "Set",
    "Snip",
    "SparseInference",
    "Sparsity",
    "Taylor",
    "Wanda",
    "Weight",
    "mask",
    "masks",
    "prune",
    "prune_in_rounds",
    "sparse_inference",
    "sparsity",
]
