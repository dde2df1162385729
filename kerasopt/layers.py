"""Every Keras layer of the house, by one import."""

from kerasopt.regularization.layers import (
    DropBlock2D,
    DropConnect,
    ScheduledDropout,
    StochasticDepth,
)

__all__ = ["DropBlock2D", "DropConnect", "ScheduledDropout", "StochasticDepth"]
