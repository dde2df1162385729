"""Keras's own callbacks that compare epochs, beside a pruning: they take its ramp for failure."""

from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import warn


def warn_of_monitors(callback: Any, who: str, until: int) -> None:
    """Name, once a run, the callbacks that compare epochs while the sparsity still rises.

    Args:
        callback: The pruning, one of the callbacks of the running `fit`.
        who: Its name.
        until: The step at which its schedule ends.
    """
    callbacks = _keras.callback_list()
    if callbacks is None or not fit_state.first(callback, "monitors"):
        return
    per_epoch = fit_state.length(callback)[1]
    ends = None if per_epoch is None else -(-until // per_epoch)
    found = [one for one in callbacks.callbacks if _compares(one, ends)]
    if not found:
        return
    names = ", ".join(_shown(one) for one in found)
    own = " and ".join(sorted({_kind(one).__name__ for one in found}))
    when = f"step {until}" if ends is None else f"step {until}, in epoch {max(ends, 1)}"
    warn(
        f"{who} changes the model until {when}, and {names} of Keras would compare epochs of "
        "different sparsity: weights from before the end are not pruned enough, and the ramp "
        f"looks like failure. Import {own} from `kerasopt.callbacks`: the same arguments, and "
        "only epochs after the schedule's end count."
    )


def _kind(callback: Any) -> type[Any]:
    kinds = (
        keras.callbacks.EarlyStopping,
        keras.callbacks.ModelCheckpoint,
        keras.callbacks.ReduceLROnPlateau,
    )
    return next((one for one in kinds if isinstance(callback, one)), type(None))


def _compares(callback: Any, ends: int | None) -> bool:
    kind = _kind(callback)
    if kind is type(None) or getattr(callback, "waits_for_schedules", False):
        return False
    if kind is keras.callbacks.ModelCheckpoint:
        return bool(callback.save_best_only)
    if kind is keras.callbacks.EarlyStopping and ends is not None:
        # From the epoch on in which the schedule ends it compares like with like.
        return int(callback.start_from_epoch) < ends - 1
    return True


def _shown(callback: Any) -> str:
    best = "save_best_only=True, " if isinstance(callback, keras.callbacks.ModelCheckpoint) else ""
    return f"`{type(callback).__name__}({best}monitor={callback.monitor!r})`"
