"""The states of the callbacks of a run, kerasopt's own and Keras's."""

import json
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt import _keras
from kerasopt._core.checks import warn_each


def _attributes(callback: Any) -> tuple[str, ...]:
    for cls, names in _keras.CALLBACK_STATES.items():
        if isinstance(callback, cls):
            return names
    return ()


def _keeps_a_state(callback: Any) -> bool:
    return hasattr(callback, "get_state") and hasattr(callback, "set_state")


def _name(callback: Any) -> str:
    cls = type(callback)
    return f"{cls.__module__.split('.')[0]}.{cls.__qualname__}"


def _arguments(callback: Any) -> str:
    """Tell callbacks of one class apart by what they were made of."""
    if hasattr(callback, "get_config"):
        made_of = callback.get_config()
    else:
        names = ("monitor", "filepath", "patience", "min_delta", "baseline", "factor", "mode")
        made_of = {name: getattr(callback, name) for name in names if hasattr(callback, name)}
        if isinstance(delta := made_of.get("min_delta"), numbers.Real):
            made_of["min_delta"] = abs(delta)  # Keras gives it a sign at the first comparison
    return json.dumps(made_of, sort_keys=True, default=lambda thing: type(thing).__name__)


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
    """Give the state of every callback that has one.

    A callback has one if it has `get_state()` and `set_state(state)`, or is one of Keras's own that
    remember something.

    Args:
        callbacks: All callbacks of the run.

    Returns:
        By a name of its own, of each its `arguments` and its `state`.
    """
    found: dict[str, Any] = {}
    for callback in callbacks:
        if _keeps_a_state(callback):
            state = callback.get_state()
        elif names := _attributes(callback):
            state = {name: _plain(getattr(callback, name)) for name in names}
        else:
            continue
        name = _name(callback)
        number = sum(key.startswith(f"{name} ") for key in found)
        found[f"{name} {number}"] = {"arguments": _arguments(callback), "state": state}
    return found


def write(callbacks: Sequence[Any], saved: Mapping[str, Any]) -> None:
    """Give every callback its state back.

    Those of one class are told apart by their arguments, then by their order. What has no partner,
    or one with other arguments, is named in a warning.

    Args:
        callbacks: All callbacks of the run.
        saved: What `read` gave.
    """
    free = [one for one in callbacks if _keeps_a_state(one) or _attributes(one)]
    left = []
    for key, entry in saved.items():
        name = key.rsplit(" ", 1)[0]
        same = [one for one in free if _name(one) == name]
        exact = [one for one in same if _arguments(one) == entry["arguments"]]
        if exact:
            free = [one for one in free if one is not exact[0]]
            _give(exact[0], entry["state"])
        else:
            left.append((name, entry["state"]))
    said: list[str] = []
    for name, state in left:
        same = [one for one in free if _name(one) == name]
        if not same:
            said.append(
                f"BackupAndRestore: the backup holds the state of a {name} that this run does not "
                "have."
            )
            continue
        free = [one for one in free if one is not same[0]]
        said.append(f"BackupAndRestore: a {name} goes on with other arguments than it had before.")
        _give(same[0], state)
    warn_each(said)


def _give(callback: Any, state: Mapping[str, Any]) -> None:
    if hasattr(callback, "set_state"):
        callback.set_state(state)
    else:
        for name, value in state.items():
            setattr(callback, name, value)
