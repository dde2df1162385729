"""Keras's insides: optimizers and the variables they hold.

Every private name that is used stands here with its reason.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np


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
