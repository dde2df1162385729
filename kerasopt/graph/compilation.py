"""Compiling a rewritten model as the old one was."""

import types
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import warn
from kerasopt.graph.copies import fresh


def compile_like(old: Any, new: Any) -> None:
    """Compile `new` with the arguments `old` was compiled with; nothing if it was not.

    The optimizer and the metrics are new objects with the same settings: step count, momenta and
    results start at zero, because the old ones belong to the old model's variables.

    Warns:
        UserWarning: If it cannot: the model's class has a `compile` of its own, whose arguments
            Keras does not keep, or a metric or optimizer cannot be made again from its config.
    """
    if not old.compiled:
        return
    cls = type(old)
    # A plain model in the place of one with a `compile` of its own gets what that gave Keras.
    if type(new) is cls and cls.compile is not keras.Model.compile:
        if cls.compile_from_config is not keras.Model.compile_from_config:
            new.compile_from_config(old.get_compile_config())
            return
        _warn(old, f"{cls.__name__!r} has its own `compile`, whose arguments are not known later")
        return
    try:
        arguments = {key: _again(value) for key, value in _keras.compile_arguments(old).items()}
    except ValueError as error:
        _warn(old, str(error))
        return
    new.compile(**arguments)
    if old.optimizer is not None and old.optimizer.built:
        # So that it can be saved, and loaded into, before the first step.
        new.optimizer.build(new.trainable_variables)


def _warn(model: Any, why: str) -> None:
    warn(f"The rewritten model {model.name!r} is not compiled: {why}. Compile it again.")


def _again(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _again(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_again(one) for one in value]
    if isinstance(value, types.FunctionType):
        return value
    if isinstance(value, (keras.optimizers.Optimizer, keras.metrics.Metric)):
        return fresh(value)
    return value
