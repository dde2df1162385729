"""Make Keras 3 models smaller, faster and better regularized inside the `model.fit` you have.

The door imports nothing heavy: a room, and with it Keras and TensorFlow, is loaded when its name is
first used.

Example:
>>> import kerasopt
>>> kerasopt.schedules.PolynomialDecay(initial=0.0, final=0.8, begin=0, end=100)(100)
0.8
"""

from typing import TYPE_CHECKING

from kerasopt._core.lazy import lazy_names
from kerasopt._version import __version__

if TYPE_CHECKING:
    from kerasopt import (
        backup,
        batch_norm,
        callbacks,
        distillation,
        export,
        graph,
        layers,
        migrate,
        profile,
        pruning,
        regularization,
        reporting,
        schedules,
        selection,
        stopping,
        structured,
        tuning,
    )
    from kerasopt._core.errors import KerasoptError, KerasoptWarning
    from kerasopt.batch_norm import fold_batch_norm
    from kerasopt.callbacks import (
        BackupAndRestore,
        ChannelPruning,
        DropoutSchedule,
        EarlyStopping,
        ModelCheckpoint,
        Pruning,
        ReduceLROnPlateau,
        WeightPenalty,
    )
    from kerasopt.export import export_all, inspect, sensitivity, to_tflite
    from kerasopt.migrate import from_tfmot
    from kerasopt.models import load_model
    from kerasopt.profile import count
    from kerasopt.pruning import prune, prune_in_rounds, sparsity
    from kerasopt.regularization import (
        add_constraint,
        add_penalty,
        insert_dropout,
        remove_constraint,
        remove_dropout,
        remove_penalty,
    )
    from kerasopt.structured import iterative_shrink, shrink, shrink_plan
    from kerasopt.tuning import search, suggest_hypermodel

_ROOMS = (
    "backup",
    "batch_norm",
    "callbacks",
    "distillation",
    "export",
    "graph",
    "layers",
    "migrate",
    "profile",
    "pruning",
    "regularization",
    "reporting",
    "schedules",
    "selection",
    "stopping",
    "structured",
    "tuning",
)
_HOMES = {
    **dict.fromkeys(_ROOMS, ""),
    "BackupAndRestore": "callbacks",
    "ChannelPruning": "callbacks",
    "DropoutSchedule": "callbacks",
    "EarlyStopping": "callbacks",
    "KerasoptError": "_core.errors",
    "KerasoptWarning": "_core.errors",
    "ModelCheckpoint": "callbacks",
    "Pruning": "callbacks",
    "ReduceLROnPlateau": "callbacks",
    "WeightPenalty": "callbacks",
    "add_constraint": "regularization",
    "add_penalty": "regularization",
    "count": "profile",
    "export_all": "export",
    "fold_batch_norm": "batch_norm",
    "from_tfmot": "migrate",
    "insert_dropout": "regularization",
    "inspect": "export",
    "iterative_shrink": "structured",
    "load_model": "models",
    "prune": "pruning",
    "prune_in_rounds": "pruning",
    "remove_constraint": "regularization",
    "remove_dropout": "regularization",
    "remove_penalty": "regularization",
    "search": "tuning",
    "sensitivity": "export",
    "shrink": "structured",
    "shrink_plan": "structured",
    "sparsity": "pruning",
    "suggest_hypermodel": "tuning",
    "to_tflite": "export",
}

__all__ = [
    "BackupAndRestore",
    "ChannelPruning",
    "DropoutSchedule",
    "EarlyStopping",
    "KerasoptError",
    "KerasoptWarning",
    "ModelCheckpoint",
    "Pruning",
    "ReduceLROnPlateau",
    "WeightPenalty",
    "__version__",
    "add_constraint",
    "add_penalty",
    "backup",
    "batch_norm",
    "callbacks",
    "count",
    "distillation",
    "export",
    "export_all",
    "fold_batch_norm",
    "from_tfmot",
    "graph",
    "insert_dropout",
    "inspect",
    "iterative_shrink",
    "layers",
    "load_model",
    "migrate",
    "profile",
    "prune",
    "prune_in_rounds",
    "pruning",
    "regularization",
    "remove_constraint",
    "remove_dropout",
    "remove_penalty",
    "reporting",
    "schedules",
    "search",
    "selection",
    "sensitivity",
    "shrink",
    "shrink_plan",
    "sparsity",
    "stopping",
    "structured",
    "suggest_hypermodel",
    "to_tflite",
    "tuning",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
