"""Where kerasopt leans on Keras's insides: every private name of Keras stands here, and only here.

`tests/test_keras.py` and `tests/graph/test_keras_graph.py` notice when one of them goes away.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from types import FrameType
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasopt._core.logs import metric_of


def require_tensorflow(what: str) -> None:
    """Say at the first use of `what` that it needs TensorFlow under Keras, if another backend runs.

    Args:
        what: Public name of the function or class, as the user knows it.

    Raises:
        RuntimeError: If Keras runs on another backend.
    """
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            f"`{what}` needs the TensorFlow backend of Keras, but Keras runs on "
            f"{keras.config.backend()!r}. Set the environment variable KERAS_BACKEND=tensorflow "
            "before Keras is imported. (A model saved as `.keras` loads under any backend, so it "
            "may be trained elsewhere and loaded for this.)"
        )


def sublayers(layer: Any) -> list[Any]:
    """Give the layers directly inside `layer`, whatever kind it is, in the order Keras tracks them.

    Private: `Layer._flatten_layers`. The public `Model.layers` exists for models only, and a
    Bidirectional, a MultiHeadAttention or a user's own composite layer has no public equivalent.
    """
    return list(layer._flatten_layers(include_self=False, recursive=False))


def keeps_averages(optimizer: Any) -> bool:
    """Tell whether an optimizer, or one inside it, was made with `use_ema=True`."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return any(getattr(one, "use_ema", False) for one in getattr(inner, "optimizers", [inner]))


def scope(model: Any) -> Any:
    """Give the context in which variables of a model are made: that of its distribution strategy.

    Public on TensorFlow: `Model.distribute_strategy`; the other backends have none.
    """
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()


def replicas(variable: Any) -> list[Any]:
    """Give what holds the value of a variable: itself, or one variable a replica.

    Public on TensorFlow. The replicas of what no optimizer updates, such as the moving statistics
    of batch normalization, differ, and reading the variable gives the first alone.
    """
    if keras.config.backend() != "tensorflow":
        return [variable]
    import tensorflow as tf

    value = variable.value
    if not isinstance(value, tf.distribute.DistributedValues):
        return [variable]
    return list(value.values)


def averages(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Give each (variable, its moving average) of an optimizer built with `use_ema=True`.

    Private: `Optimizer._model_variables_moving_average` and `Optimizer._trainable_variables`. Keras
    updates the average inside the step *before* it applies constraints, so an average of masked
    weights is dense unless it is masked too; no public name leads from a variable to its average.
    """
    if optimizer is None:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for one in getattr(inner, "optimizers", [inner]):
        if getattr(one, "use_ema", False) and one.built:
            for variable, average in zip(
                one._trainable_variables, one._model_variables_moving_average, strict=True
            ):
                if average is not None:
                    yield variable, average


def slots(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Give each (variable, slot) of a built optimizer: its momenta, velocities and the like.

    Private: `Optimizer._trainable_variables`, and that `add_variable_from_reference` names a slot
    `<path of the variable with "_" for "/">_<name of the slot>`; no public name leads from a
    variable to its slots. Averages of `use_ema` are none.
    """
    if optimizer is None:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for one in getattr(inner, "optimizers", [inner]):
        if not one.built:
            continue
        averages_of = {id(average) for _, average in averages(one)}
        by_path: dict[str, list[Any]] = {}
        for variable in one._trainable_variables:
            by_path.setdefault(variable.path.replace("/", "_"), []).append(variable)
        given: Counter[str] = Counter()
        for slot in one.variables:
            paths = [path for path in by_path if slot.name.startswith(f"{path}_")]
            if not paths or id(slot) in averages_of:
                continue
            # Of variables of one path the slots are made in the order of the variables.
            owners = by_path[max(paths, key=len)]
            owner = owners[given[slot.name] % len(owners)]
            given[slot.name] += 1
            if slot.shape == owner.shape:
                yield owner, slot


def carry_scalars(before: Any, after: Any) -> None:
    """Give one optimizer the scalar variables of another of the same kind: counters, loss scales.

    They belong together by their names, in order. Those that Keras leaves without a name, such as
    Nadam's product of momenta, are numbered anew for each optimizer. `iterations` alone would not
    do: under gradient accumulation it is computed.
    """
    some, others = (
        [(re.sub(r"_\d+$", "", v.name), v) for v in one.variables if not len(v.shape)]
        for one in (before, after)
    )
    if [name for name, _ in some] == [name for name, _ in others]:
        for (_, one), (_, other) in zip(some, others, strict=True):
            # A copy: on JAX a variable holds the very array that it is assigned.
            other.assign(np.array(keras.ops.convert_to_numpy(one.value)))


def direction(model: Any, name: str) -> str | None:
    """Give `"min"` or `"max"` for a metric of a compiled model, `None` where Keras does not know.

    Private: `Metric._direction`, `"up"` or `"down"`. Keras sets it on its own metrics but not on
    functions, and offers no public way to ask.

    Args:
        model: The compiled model.
        name: The metric's name without `val_`.
    """
    outputs = [f"{output}_" for output in getattr(model, "output_names", None) or []]
    for metric in getattr(model, "metrics", []):
        for one in getattr(metric, "metrics", [metric]):
            # With several outputs Keras reports a metric under its output's name and its own.
            names = [one.name, *(output + one.name for output in outputs)]
            if name in names and getattr(one, "_direction", None):
                return "max" if one._direction == "up" else "min"
    return None


def is_functional(model: Any) -> bool:
    """Tell whether `model` is built from a graph of layers (functional style, or a subclass of it).

    Private: the class `keras.src.models.functional.Functional`, reached without naming its module:
    Keras has no public name for it, and a Functional subclass may have any class of its own.
    """
    return isinstance(model, _FUNCTIONAL)


def _functional_class() -> type:
    tensor = keras.Input((1,))
    cls: type = type(keras.Model(tensor, tensor))
    return cls


_FUNCTIONAL = _functional_class()


def steps_per_execution(model: Any) -> int:
    """Give how many batches one call of the train function runs (public since Keras 3.0)."""
    return int(getattr(model, "steps_per_execution", 1) or 1)


def retrace(model: Any, evaluation: bool = False) -> None:
    """Make the next batch trace the train step again, so that it sees changed variables.

    A compiled function that exists ignores a regularizer or constraint set after its first batch.
    Does nothing for a model that has none yet.

    Args:
        model: The model.
        evaluation: Whether `evaluate` is to see the change too, as it must for a penalty, which is
            part of the loss. Defaults to `False`.
    """
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
    if evaluation and getattr(model, "test_function", None) is not None:
        model.make_test_function(force=True)


class Call(NamedTuple):
    """One call of a layer or operation inside a model's graph.

    Attributes:
        operation: The layer, or the operation behind a `keras.ops` function.
        args: Its positional arguments, with symbolic tensors in them.
        kwargs: Its keyword arguments, likewise.
        outputs: Flat list of the symbolic tensors that came out.
    """

    operation: Any
    args: Any
    kwargs: Any
    outputs: list[Any]


def calls(model: Any) -> list[Call]:
    """Give every call in the graph of a Functional or built Sequential model, inputs first.

    Private: `Function._nodes_by_depth`, the `operation`, `arguments` and `outputs` of its nodes,
    and `Sequential._functional`. The only public way into the graph, `clone_model(call_function=)`,
    refuses Sequential models, copies while it reads, and cannot say who consumes a tensor. The
    order is the one in which Keras itself runs the graph.
    """
    graph = model._functional if isinstance(model, keras.Sequential) else model
    by_depth = graph._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return [
        Call(node.operation, node.arguments.args, node.arguments.kwargs, list(node.outputs))
        for node in nodes
    ]


def has_graph(model: Any) -> bool:
    """Tell whether `calls` can read `model`: functional, or Sequential and built as a chain.

    Private: `Sequential._functional`, which is None as long as Keras has not built the chain.
    """
    if isinstance(model, keras.Sequential):
        return model._functional is not None
    return is_functional(model)


def fresh_operation(operation: Any) -> Any:
    """Copy an operation that is no layer (the one behind `keras.ops.relu(x)`), outside any graph.

    Private: `Operation._inbound_nodes` and `_outbound_nodes`, which tie it to the calls it was used
    in. An operation holds no variables, so its attributes are all there is; its config is not, as
    many operations take arguments that no config can express.
    """
    copy = object.__new__(type(operation))
    copy.__dict__.update(vars(operation))
    copy._inbound_nodes = []
    copy._outbound_nodes = []
    return copy


# The operations behind `keras.ops.relu(x)` and its like. Private: the names of their classes.
ACTIVATIONS = (
    "Celu",
    "Elu",
    "Gelu",
    "HardSigmoid",
    "HardSilu",
    "HardTanh",
    "LeakyRelu",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softplus",
    "Tanh",
)


def operation_kind(operation: Any) -> str:
    """Give what a layer or operation does, by the name of its class: `"Add"`, `"Multiply"`.

    Private: the classes behind `x + y` and `keras.ops.add` have no public names; the layers that do
    the same have names of the same spelling.
    """
    return type(operation).__name__


def compile_arguments(model: Any) -> dict[str, Any]:
    """Give the arguments `model.compile` was called with, as the objects themselves.

    Private: `Trainer._compile_config`. The public `get_compile_config` gives their serialized form,
    from which a loss that is a user's own unregistered function cannot be made again.
    """
    return dict(model._compile_config.config)


def is_plain(model: Any) -> bool:
    """Tell whether a model's class is Keras's own Functional or Sequential, not a subclass."""
    return type(model) in (_FUNCTIONAL, keras.Sequential)


def calls_its_graph(model: Any) -> bool:
    """Tell whether a model with a graph computes that graph, and its class has no other `call`."""
    base = keras.Sequential if isinstance(model, keras.Sequential) else _FUNCTIONAL
    return getattr(type(model), "call", None) is getattr(base, "call", None)


def saves_its_layers(model: Any) -> bool:
    """Tell whether a model's config is made of the configs of its layers, each as it is now.

    So it is for Sequential models, and for Functional ones whose class can be given inputs and
    outputs; the config of any other class says how to call its constructor.
    """
    cls = type(model)
    if cls in (_FUNCTIONAL, keras.Sequential):
        return True
    if not (is_functional(model) or isinstance(model, keras.Sequential)):
        return False
    try:
        config = model.get_config()
    except (NotImplementedError, TypeError, ValueError):
        return False
    return "layers" in config


def set_in_attention(layer: Any, name: str, thing: Any) -> None:
    """Set the one `kernel_regularizer` or `kernel_constraint` of all kernels of an attention layer.

    Private: `MultiHeadAttention._kernel_regularizer` and `_kernel_constraint`, which have no public
    name after the constructor (GroupQueryAttention's have). Does nothing to a layer of another
    kind.
    """
    if isinstance(layer, keras.layers.GroupQueryAttention):
        setattr(layer, name, thing)
    elif isinstance(layer, keras.layers.MultiHeadAttention):
        setattr(layer, f"_{name}", thing)


def running_fit(model: Any, frame: FrameType | None = None) -> FrameType | None:
    """Give the frame of Keras's `fit` of `model` if it is on the stack, else `None`.

    Private: that `fit` is a method with `self`, and holds its iterator over the data in a local
    variable `epoch_iterator`. A callback is not told whether `fit` was given validation data, nor
    that a `fit` was left by an exception, and it cannot reach the data's iterator; the stack knows.

    Args:
        model: The model.
        frame: Where to begin. Defaults to the caller's.
    """
    frame = frame or sys._getframe(1)
    while frame is not None:
        if (
            frame.f_code.co_name == "fit"
            and frame.f_locals.get("self") is model
            and "epoch_iterator" in frame.f_locals
        ):
            return frame
        frame = frame.f_back
    return None


def validates(model: Any) -> bool | None:
    """Tell whether the running `fit` of a model has validation data; `None` if that is unknown.

    Private: the local variable `validation_data` of `fit`, in which a `validation_split` ends too.
    """
    frame = running_fit(model, sys._getframe(1))
    if frame is None or "validation_data" not in frame.f_locals:
        return None
    return frame.f_locals["validation_data"] is not None


def callback_list() -> Any:
    """Give the `keras.callbacks.CallbackList` that is calling a callback right now, or `None`.

    Private: that its hooks are methods with `self`. Keras gives a callback no way to the others.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        candidate = frame.f_locals.get("self")
        if isinstance(candidate, keras.callbacks.CallbackList):
            return candidate
        frame = frame.f_back
    return None


def run_in_step(callbacks: Any) -> None:
    """Make a `CallbackList` call its callbacks in the step, not later in threads of its own.

    Private: `CallbackList._async_train`. Keras decides it from a list of callbacks but forgets to
    where `fit(callbacks=...)` is given a single one.
    """
    callbacks._async_train = False


def begin_at(model: Any, epoch: int | None) -> int | None:
    """Make the `fit` that is beginning start at an epoch; give what was set before.

    Private: `Trainer._initial_epoch`, through which Keras's own BackupAndRestore does it. Keras
    never takes it back, so that a second `fit` of the same model would start there, too.

    Args:
        model: The model.
        epoch: Index of the epoch, or `None` for what `fit` was told.
    """
    before: int | None = model._initial_epoch
    model._initial_epoch = epoch
    return before


def data_position(model: Any) -> int:
    """Give how many batches of its iterator over the data the running `fit` has taken so far.

    0 where every epoch has an iterator of its own, which is so without `steps_per_epoch`.

    Private: the local variable `epoch_iterator` of `fit`, and `EpochIterator._steps_seen`.
    """
    frame = running_fit(model, sys._getframe(1))
    if frame is None:
        return 0
    iterator = frame.f_locals["epoch_iterator"]
    return int(iterator._steps_seen) if iterator.steps_per_epoch else 0


def set_data_position(model: Any, batches: int) -> None:
    """Let the `fit` that is beginning take the data from a later batch on.

    Private: `EpochIterator._get_iterator`, `_current_iterator` and `_steps_seen`. With
    `steps_per_epoch` one iterator goes on from epoch to epoch, and a new process has to go on
    within it.

    Args:
        model: The model.
        batches: How many batches have been seen.
    """
    frame = running_fit(model, sys._getframe(1))
    if frame is None or not batches:
        return
    epochs = frame.f_locals["epoch_iterator"]
    epochs._current_iterator = iter(epochs._get_iterator())
    for _ in range(batches):
        if next(epochs._current_iterator, None) is None:
            break
    epochs._steps_seen = batches


def global_seed(create: bool = False) -> Any:
    """Give the generator of the random numbers that are drawn without a seed, or `None`.

    Private: `keras.src.random.seed_generator` and `keras.src.backend.common.global_state`; layers
    that call `keras.random.normal(shape)` depend on it, and it has no public name.

    Args:
        create: Whether to make it if there is none yet. Defaults to `False`.
    """
    from keras.src.backend.common import global_state
    from keras.src.random import seed_generator

    if create:
        return seed_generator.global_seed_generator()
    return global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)


def learn_direction(callback: Any) -> None:
    """Let a callback that compares epochs find out now which values are better.

    It does so when it first compares, and raises a `ValueError` where it cannot.

    Private: `MonitorCallback._set_monitor_op`.
    """
    if callback.monitor_op is not None:
        return
    monitor = callback.monitor
    callback.monitor = metric_of(monitor)  # Keras knows no entries of a metric
    try:
        callback._set_monitor_op()
    finally:
        callback.monitor = monitor


# What Keras's own callbacks remember of a run. Private: the names with an underscore.
CALLBACK_STATES: dict[type[Any], tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: (
        "wait",
        "stopped_epoch",
        "best",
        "best_weights",
        "best_epoch",
    ),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: (
        "best",
        "_batches_seen_since_last_saving",
        "_last_batch_seen",
    ),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.History: ("epoch", "history"),
}
