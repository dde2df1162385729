"""Search spaces of small models: tables, images, sequences, and which of them suits some data.

Example:
>>> import keras_tuner
>>> from kerasopt.tuning.hypermodels import HyperMLP
>>> hp = keras_tuner.HyperParameters()
>>> model = HyperMLP(input_shape=(30,), outputs=2).build(hp)
>>> sorted(hp.values)
['activation', 'batch_normalization', 'dropout', 'layers', 'learning_rate', 'units_1', 'units_2']
"""

from kerasopt.tuning.hypermodels.architecture import Architecture
from kerasopt.tuning.hypermodels.cnn import HyperCNN
from kerasopt.tuning.hypermodels.mlp import HyperMLP
from kerasopt.tuning.hypermodels.rnn import HyperRNN
from kerasopt.tuning.hypermodels.sequence_cnn import HyperSequenceCNN
from kerasopt.tuning.hypermodels.suggest import suggest_hypermodel

__all__ = [
    "Architecture",
    "HyperCNN",
    "HyperMLP",
    "HyperRNN",
    "HyperSequenceCNN",
    "suggest_hypermodel",
]
