"""Every Keras callback of the house, by one import."""

from kerasopt.backup.callback import BackupAndRestore
from kerasopt.pruning.callback import Pruning
from kerasopt.pruning.channels.callback import ChannelPruning
from kerasopt.regularization.dropout_schedule import DropoutSchedule
from kerasopt.regularization.weight_penalty import WeightPenalty
from kerasopt.stopping.callback import EarlyStopping
from kerasopt.stopping.settled import ModelCheckpoint, ReduceLROnPlateau

__all__ = [
    "BackupAndRestore",
    "ChannelPruning",
    "DropoutSchedule",
    "EarlyStopping",
    "ModelCheckpoint",
    "Pruning",
    "ReduceLROnPlateau",
    "WeightPenalty",
]
