"""Criteria: how important each weight is."""

from kerasopt.pruning.criteria.criterion import Context, Criterion
from kerasopt.pruning.criteria.gradient import Movement, Snip, Taylor
from kerasopt.pruning.criteria.magnitude import Lamp, Magnitude, Random
from kerasopt.pruning.criteria.registry import deserialize, get, serialize
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
    "deserialize",
    "get",
    "serialize",
]
