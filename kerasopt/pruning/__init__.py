"""Pruning: criterion x pattern x scope -> masks, held inside the train step."""

from kerasopt.pruning.callback import Pruning
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
from kerasopt.pruning.dynamics import Dynamics, RigL, Set
from kerasopt.pruning.masking import mask, masks
from kerasopt.pruning.measure import Sparsity, sparsity
from kerasopt.pruning.one_shot import prune
from kerasopt.pruning.patterns import NM, Block, Channel, Pattern, Weight
from kerasopt.pruning.rounds import Round, prune_in_rounds
from kerasopt.pruning.scopes import DenseEnds, Erk, Global, Named, PerLayer, Scope
from kerasopt.pruning.xnnpack import SparseInference, sparse_inference

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
    "Pruning",
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
