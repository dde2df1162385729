"""Every Keras callback of the house, by one import."""

from kerasopt.backup.callback import BackupAndRestore
from kerasopt.pruning.callback import Pruning
from kerasopt.regularization.dropout.dropout_schedule import DropoutSchedule
from kerasopt.regularization.weight_penalty import WeightPenalty
from kerasopt.stopping.callback import EarlyStopping
from kerasopt.stopping.keras_callbacks import ModelCheckpoint, ReduceLROnPlateau
from kerasopt.structured.callback import ChannelPruning

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
