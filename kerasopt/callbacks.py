"""Every Keras callback of the house, by one import."""

from kerasopt.backup.callback import BackupAndRestore
from kerasopt.pruning.callback import Pruning
from kerasopt.stopping.callback import EarlyStopping

__all__ = ["BackupAndRestore", "EarlyStopping", "Pruning"]
