"""Criteria: how important each weight is."""

from kerasopt.pruning.criteria.criterion import Context, Criterion
from kerasopt.pruning.criteria.lamp import Lamp
from kerasopt.pruning.criteria.magnitude import Magnitude
from kerasopt.pruning.criteria.movement import Movement
from kerasopt.pruning.criteria.naming import as_criterion
from kerasopt.pruning.criteria.random import Random
from kerasopt.pruning.criteria.snip import Snip
from kerasopt.pruning.criteria.taylor import Taylor
from kerasopt.pruning.criteria.wanda import Wanda
from kerasopt.pruning.criteria.zeros_last import ZerosLast

__all__ = [
    "Context",
    "Criterion",
    "Lamp",
    "Magnitude",
    "Movement",
    "Random",
    "Snip",
    "Taylor",
    "Wanda",
    "ZerosLast",
    "as_criterion",
]
