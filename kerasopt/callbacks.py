"""Every Keras callback of the house, by one import."""

from kerasopt.pruning.callback import Pruning
from kerasopt.stopping.callback import EarlyStopping

__all__ = ["EarlyStopping", "Pruning"]
