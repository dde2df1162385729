"""Where kerasopt leans on Keras's insides: every private name of Keras stands here, and only here.

`tests/test_keras.py` and `tests/graph/test_keras_graph.py` notice when one of them goes away.
"""

from kerasopt._keras.callbacks import CALLBACK_STATES, callback_list, learn_direction, run_in_step
from kerasopt._keras.fit import (
    begin_at,
    data_position,
    direction,
    global_seed,
    require_tensorflow,
    retrace,
    running_fit,
    set_data_position,
    steps_per_execution,
    validates,
)
from kerasopt._keras.graph import (
    ACTIVATIONS,
    Call,
    calls,
    calls_its_graph,
    compile_arguments,
    fresh_operation,
    has_graph,
    is_functional,
    is_plain,
    operation_kind,
    saves_its_layers,
    set_in_attention,
    sublayers,
)
from kerasopt._keras.optimizer import (
    averages,
    carry_scalars,
    keeps_averages,
    replicas,
    scope,
    slots,
)

__all__ = [
    "ACTIVATIONS",
    "CALLBACK_STATES",
    "Call",
    "averages",
    "begin_at",
    "callback_list",
    "calls",
    "calls_its_graph",
    "carry_scalars",
    "compile_arguments",
    "data_position",
    "direction",
    "fresh_operation",
    "global_seed",
    "has_graph",
    "is_functional",
    "is_plain",
    "keeps_averages",
    "learn_direction",
    "operation_kind",
    "replicas",
    "require_tensorflow",
    "retrace",
    "run_in_step",
    "running_fit",
    "saves_its_layers",
    "scope",
    "set_data_position",
    "set_in_attention",
    "slots",
    "steps_per_execution",
    "sublayers",
    "validates",
]
