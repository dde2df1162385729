"""The states of the callbacks of a run, kerasopt's own and Keras's."""

import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt import _keras


def _keyed(callbacks: Sequence[Any]) -> dict[str, Any]:
    """Give each callback a name that is the same in the next process."""
    found: dict[str, Any] = {}
    for callback in callbacks:
        cls = type(callback)
        name = f"{cls.__module__.split('.')[0]}.{cls.__qualname__}"
        number = sum(key.startswith(f"{name} ") for key in found)
        found[f"{name} {number}"] = callback
    return found


def _attributes(callback: Any) -> tuple[str, ...]:
    for cls, names in _keras.CALLBACK_STATES.items():
        if isinstance(callback, cls):
            return names
    return ()


def _plain(value: Any) -> Any:
    """Give a value of a history as plain data; a tensor as an array."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, bool, numbers.Real, np.ndarray)):
        return value
    return np.asarray(value)


def read(callbacks: Sequence[Any]) -> dict[str, Any]:
    """Give the state of every callback that has one, by its name.

    A callback has one if it has `get_state()` and `set_state(state)`, or is one of Keras's own that
    remember something.

    Args:
        callbacks: All callbacks of the run.
    """
    states: dict[str, Any] = {}
    for key, callback in _keyed(callbacks).items():
        if hasattr(callback, "get_state") and hasattr(callback, "set_state"):
            states[key] = callback.get_state()
        elif names := _attributes(callback):
            states[key] = {name: _plain(getattr(callback, name)) for name in names}
    return states


def write(callbacks: Sequence[Any], states: Mapping[str, Any]) -> None:
    """Give every callback its state back; what has no partner is named in a warning.

    Args:
        callbacks: All callbacks of the run.
        states: What `read` gave.
    """
    here = _keyed(callbacks)
    for key, state in states.items():
        callback = here.get(key)
        if callback is None:
            warnings.warn(
                f"BackupAndRestore: the backup holds the state of a {key.split(' ')[0]} that this "
                "run does not have.",
                stacklevel=2,
            )
        elif hasattr(callback, "set_state"):
            callback.set_state(state)
        else:
            for name, value in state.items():
                setattr(callback, name, value)
