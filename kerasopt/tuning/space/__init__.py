"""Ready-made search spaces: hyperparameters in, callbacks and arguments out."""

from kerasopt.tuning.space.dropout import dropout
from kerasopt.tuning.space.pruning import pruning
from kerasopt.tuning.space.quantization import quantization
from kerasopt.tuning.space.regularization import regularization
from kerasopt.tuning.space.stopping import stopping

__all__ = ["dropout", "pruning", "quantization", "regularization", "stopping"]
