"""Structured pruning: the dependency graph, importance, budget and surgery of channels."""

from kerasopt.structured.api import shrink, shrink_plan
from kerasopt.structured.iterative import ShrinkRound, iterative_shrink
from kerasopt.structured.plan import PlannedGroup, ShrinkPlan

__all__ = [
    "PlannedGroup",
    "ShrinkPlan",
    "ShrinkRound",
    "iterative_shrink",
    "shrink",
    "shrink_plan",
]
