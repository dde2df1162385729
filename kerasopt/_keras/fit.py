"""Keras's insides: one `fit`, its data, its metrics and its compiled steps.

Every private name that is used stands here with its reason.
"""

import sys
from types import FrameType
from typing import Any

import keras


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
