"""Pruning: criterion x pattern x scope -> masks, held inside the train step."""

from kerasopt.batch_norm.fold import fold_batch_norm
from kerasopt.profile.api import Count, LayerCount, count
from kerasopt.pruning.api import prune
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
from kerasopt.pruning.iterative import Round, prune_in_rounds
from kerasopt.pruning.masks.compute import mask, masks
from kerasopt.pruning.masks.dynamics import Dynamics, RigL, Set
from kerasopt.pruning.patterns import NM, Block, Channel, Pattern, Weight
from kerasopt.pruning.report.sparsity import Sparsity, sparsity
from kerasopt.pruning.report.xnnpack import SparseInference, sparse_inference
from kerasopt.pruning.scopes import DenseEnds, Erk, Global, Named, PerLayer, Scope
from kerasopt.structured.api import shrink, shrink_plan
from kerasopt.structured.callback import ChannelPruning
from kerasopt.structured.iterative import ShrinkRound, iterative_shrink
from kerasopt.structured.plan import PlannedGroup, ShrinkPlan

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
    "ShrinkRound",
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
