"""Keras's insides: the callbacks of one `fit`.

Every private name that is used stands here with its reason.
"""

import sys
from typing import TYPE_CHECKING, Any

import keras

from kerasopt._core.logs import metric_of

if TYPE_CHECKING:
    from types import FrameType


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
