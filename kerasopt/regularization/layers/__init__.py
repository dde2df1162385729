"""Layers that drop something at random in training and do nothing in inference."""

from kerasopt.regularization.layers.drop_block import DropBlock2D
from kerasopt.regularization.layers.drop_connect import DropConnect
from kerasopt.regularization.layers.scheduled_dropout import ScheduledDropout
from kerasopt.regularization.layers.stochastic_depth import StochasticDepth

__all__ = ["DropBlock2D", "DropConnect", "ScheduledDropout", "StochasticDepth"]
