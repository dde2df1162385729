"""Pruning: criterion x pattern x scope -> masks, held inside the train step."""

from kerasopt.pruning.callback import Pruning
from kerasopt.pruning.channels.callback import ChannelPruning
from kerasopt.pruning.channels.counting import Count, LayerCount, count
from kerasopt.pruning.channels.iterating import ShrinkStep, iterative_shrink
from kerasopt.pruning.channels.plan import PlannedGroup, ShrinkPlan
from kerasopt.pruning.channels.shrinking import shrink, shrink_plan
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
from kerasopt.pruning.folding import fold_batch_norm
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
    "ChannelPruning",
    "Context",
    "Count",
    "Criterion",
    "DenseEnds",
    "Dynamics",
    "Erk",
    "Global",
    "Lamp",
    "LayerCount",
    "Magnitude",
    "Movement",
    "Named",
    "Pattern",
    "PerLayer",
    "PlannedGroup",
    "Pruning",
    "Random",
    "RigL",
    "Round",
    "Scope",
    "Set",
    "ShrinkPlan",
    "ShrinkStep",
    "Snip",
    "SparseInference",
    "Sparsity",
    "Taylor",
    "Wanda",
    "Weight",
    "count",
    "fold_batch_norm",
    "iterative_shrink",
    "mask",
    "masks",
    "prune",
    "prune_in_rounds",
    "shrink",
    "shrink_plan",
    "sparse_inference",
    "sparsity",
]
