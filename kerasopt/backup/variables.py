"""Everything in a training that has a value: weights, optimizers, metrics, random seeds."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasopt import _keras


def optimizers(model: Any) -> list[Any]:
    """Give the model's optimizer and those a model of its own kind holds besides, each once."""
    found = [model.optimizer] if model.optimizer is not None else []
    for thing in vars(model).values():
        if isinstance(thing, keras.optimizers.Optimizer) and all(thing is not one for one in found):
            found.append(thing)
    return found


def _groups(model: Any, metrics: bool) -> dict[str, list[Any]]:
    groups = {"model": list(model.variables)}
    for index, optimizer in enumerate(optimizers(model)):
        groups[f"optimizer {index}"] = list(optimizer.variables)
    if metrics:
        groups["metrics"] = list(model.metrics_variables)
    return groups


def read(model: Any) -> dict[str, Any]:
    """Give all values as plain data: arrays, one a replica, and the paths of their variables."""
    return {
        name: {
            "paths": [variable.path for variable in variables],
            "values": [_value(variable) for variable in variables],
        }
        for name, variables in _groups(model, metrics=True).items()
    }


def build_optimizers(model: Any) -> None:
    """Build the optimizer of a model, which `fit` would build in its first step.

    Raises:
        ValueError: If the model holds another one that is not built, because only the model knows
            what it is for.
    """
    for optimizer in optimizers(model):
        if optimizer.built:
            continue
        if optimizer is not model.optimizer:
            raise ValueError(
                f"The model's optimizer {optimizer.name!r} is not built, so its state cannot be "
                "restored. Call its `build(variables)` before `fit`."
            )
        with _keras.scope(model):
            optimizer.build(model.trainable_variables)


def write(model: Any, saved: Mapping[str, Any], source: str, metrics: bool) -> None:
    """Give all variables their saved values.

    Args:
        model: The model, built as it was.
        saved: What `read` gave.
        source: Where it comes from, for the message.
        metrics: Whether the running state of the metrics is wanted, too.

    Raises:
        ValueError: If they are not those of this model.
    """
    groups = _groups(model, metrics)
    for name, variables in groups.items():
        _check(name, variables, saved.get(name, {"paths": [], "values": []}), source)
    for name, variables in groups.items():
        for variable, value in zip(variables, saved[name]["values"], strict=True):
            for one, given in zip(_keras.replicas(variable), value, strict=True):
                one.assign(given)


def _value(variable: Any) -> list[Any]:
    """Give the value of a variable, once a replica."""
    return [np.array(keras.ops.convert_to_numpy(one)) for one in _keras.replicas(variable)]


def _check(name: str, variables: Sequence[Any], saved: Mapping[str, Any], source: str) -> None:
    here = [(one.path, (len(_keras.replicas(one)), *one.shape)) for one in variables]
    shapes = [(len(value), *value[0].shape) for value in saved["values"]]
    there = list(zip(saved["paths"], shapes, strict=True))
    if [shape for _, shape in here] == shapes:
        return
    differing = [pair for pair in zip(there, here, strict=False) if pair[0][1] != pair[1][1]]
    first = f"; the first that differ (replicas, shape) are {differing[0]}" if differing else ""
    raise ValueError(
        f"The backup {source!r} is of another model: it has {len(there)} variables of the "
        f"{name}, this one {len(here)}{first}. Build and compile the model "
        "as before, or give another `backup_dir`."
    )


def read_random() -> dict[str, Any]:
    """Give the states of the process's own random generators: Keras's, Python's, NumPy's."""
    version, numbers, gauss = random.getstate()
    legacy: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    seed = _keras.global_seed()
    return {
        "keras": None if seed is None else keras.ops.convert_to_numpy(seed.state),
        "python": {"version": version, "numbers": np.array(numbers, np.int64), "gauss": gauss},
        "numpy": legacy,
    }


def write_random(saved: Mapping[str, Any]) -> None:
    """Take back what `read_random` gave."""
    if saved["keras"] is not None:
        _keras.global_seed(create=True).state.assign(saved["keras"])
    python = saved["python"]
    numbers = tuple(int(number) for number in python["numbers"])
    random.setstate((python["version"], numbers, python["gauss"]))
    np.random.set_state(saved["numpy"])  # noqa: NPY002
