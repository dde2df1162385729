"""The callbacks of a trial: new ones each time, one that reports, one that keeps the best epoch."""

import copy
import inspect
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from kerasopt._core import fit_state
from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.logs import number_of
from kerasopt.stopping.best_weights import BestWeights


class TrialPruned(Exception):  # noqa: N818 - as in Optuna: it is no error
    """Raised within `fit` to stop a trial that is worse than others."""


class TooLarge(keras_tuner.errors.FailedTrialError):
    """Raised for a model of more than `max_model_size` parameters.

    Args:
        size: How many it has.
        most: `max_model_size`.
    """

    def __init__(self, size: int, most: int):
        super().__init__(f"The model has {size:,} parameters, more than {most:,}.")
        self.size = size


class TrialCallback(keras.callbacks.Callback):
    """Reports each epoch to the oracle, keeps the best epoch's weights, and stops a bad trial.

    Any `HyperModel.fit` gets it among its `callbacks`.

    Args:
        objective: Name and direction.
        trial_folder: Where the trial's files go.
        report: Called with the objective and the number of epochs so far, says whether the trial
            should be stopped; `None` where nothing is to be reported.
        before: Epochs of the trial's executions before this one.
        check: Called with the model as soon as it is built. Defaults to `None`.

    Attributes:
        trial_folder: Where the trial's files go.
        first: The first epoch (from 0) that counts: before it a `Pruning` was still at work.
        best_epoch: The epoch (from 0, in the last call of `fit`) whose weights are kept, or `None`.
        best_value: The objective there.
        epochs: How many have run.
    """

    def __init__(
        self,
        objective: tuple[str, str],
        trial_folder: Path,
        report: Callable[[float, int], bool] | None = None,
        before: int = 0,
        check: Callable[[Any], None] | None = None,
    ):
        super().__init__()
        self.trial_folder = trial_folder
        self._name, self._direction = objective
        self._report = report
        self._before = before
        self._weights = BestWeights("memory")
        self.first = 0
        self.best_epoch: int | None = None
        self.best_value = math.nan
        self.epochs = 0
        self.seen: set[str] = set()
        self._earlier = 0
        self._check = check

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew: of several calls of `fit` the last one counts, whose history is returned."""
        self._earlier = self.epochs
        self.first, self.best_epoch, self.best_value = 0, None, math.nan
        self._measure()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the epoch's weights if it is the best, and report it.

        Raises:
            TrialPruned: If the trial is worse than others.
        """
        logs = logs or {}
        self._measure()
        self.epochs += 1
        self.seen.update(logs)
        try:
            value = number_of(logs, self._name, "objective")
        except (TypeError, ValueError) as error:
            # No other trial would do better.
            raise keras_tuner.errors.FatalValueError(str(error)) from None
        if value is None:
            return
        self.seen.add(self._name)  # an entry of an array has no name of its own there
        if fit_state.unsettled(self):
            self.first = self.epochs - self._earlier
        elif self._is_better(value):
            self.best_epoch, self.best_value = self.epochs - self._earlier - 1, value
            self._weights.keep(self.model)
        if self._report is None or not math.isfinite(value):
            return
        step = self._before + self.epochs
        if self._report(value, step):
            raise TrialPruned(f"{self._name} is {value:.4g} after {self.epochs} epochs")

    def _measure(self) -> None:
        # Keras builds most models before training begins, and others in its first step.
        if self._check is not None and self.model is not None and self.model.weights:
            check, self._check = self._check, None
            check(self.model)

    def give_back(self, model: Any) -> None:
        """Give the model the weights of its best epoch; other callbacks may have changed them."""
        if self.best_epoch is not None:
            self._weights.give_back(model)

    def _is_better(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.best_epoch is None:
            return True
        return value > self.best_value if self._direction == "max" else value < self.best_value


class TunerHooks(keras.callbacks.Callback):
    """Calls a tuner's `on_batch_begin`, `on_batch_end`, `on_epoch_begin` and `on_epoch_end`.

    Args:
        tuner: The tuner.
        trial: Its trial.
    """

    NAMES = ("on_batch_begin", "on_batch_end", "on_epoch_begin", "on_epoch_end")

    def __init__(self, tuner: Any, trial: Any):
        super().__init__()
        self._tuner, self._trial = tuner, trial

    @classmethod
    def of(cls, tuner: Any, trial: Any) -> "list[TunerHooks]":
        """Give one if a subclass has written any of these methods; else nothing is called."""
        own = (getattr(type(tuner), name) for name in cls.NAMES)
        kept = (getattr(keras_tuner.Tuner, name) for name in cls.NAMES)
        needed = any(one is not other for one, other in zip(own, kept, strict=True))
        return [cls(tuner, trial)] if needed else []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Call the tuner's `on_batch_begin`."""
        self._tuner.on_batch_begin(self._trial, self.model, batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Call the tuner's `on_batch_end`."""
        self._tuner.on_batch_end(self._trial, self.model, batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Call the tuner's `on_epoch_begin`."""
        self._tuner.on_epoch_begin(self._trial, self.model, epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Call the tuner's `on_epoch_end`."""
        self._tuner.on_epoch_end(self._trial, self.model, epoch, logs=logs)


def check_callbacks(callbacks: Any) -> None:
    """Check, before the first trial, that a `callbacks` argument can be used for every trial.

    Raises:
        TypeError: If it is neither callbacks nor a factory.
        FatalValueError: If one of them cannot be copied.
    """
    if not callable(callbacks) or isinstance(callbacks, keras.callbacks.Callback):
        fresh_callbacks(callbacks)


def fresh_callbacks(callbacks: Any, hp: Any = None) -> list[Any]:
    """Give callbacks of their own to one execution of one trial.

    Args:
        callbacks: `None`, a callback, a list of them, which are copied, or a factory: a function
            without arguments, or one that takes the hyperparameters, that gives a list.
        hp: The trial's hyperparameters.

    Raises:
        TypeError: If it is none of these.
        FatalValueError: If a callback cannot be copied.

    Example:
    >>> import keras
    >>> stopper = keras.callbacks.EarlyStopping(patience=3)
    >>> [one.patience for one in fresh_callbacks([stopper])], fresh_callbacks(None)
    ([3], [])
    """
    if callable(callbacks) and not isinstance(callbacks, keras.callbacks.Callback):
        takes = inspect.signature(callbacks).parameters
        made = callbacks(hp) if takes else callbacks()
        return _listed(made, "callbacks()")
    return [_copied(one) for one in _listed(callbacks, "callbacks")]


def _listed(callbacks: Any, argument: str) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    many = list(callbacks) if isinstance(callbacks, Sequence) else [callbacks]
    for one in many:
        if not isinstance(one, keras.callbacks.Callback):
            raise bad_type(
                argument,
                "callbacks, a list of them, or a function that gives one",
                one,
            )
    return many


def _copied(callback: Any) -> Any:
    try:
        return copy.deepcopy(callback)
    except Exception as error:  # any class may raise anything when it is copied
        wrong = bad_value(
            "callbacks",
            "callbacks that can be copied, because every trial needs its own",
            callback,
            f"{type(callback).__name__} cannot ({error}). Give a function that makes them: "
            "callbacks=lambda: [...].",
        )
        raise keras_tuner.errors.FatalValueError(str(wrong)) from error


def place_tensorboard(callbacks: Sequence[Any], name: str) -> None:
    """Let every TensorBoard callback write to a folder of this execution's own."""
    for one in callbacks:
        if isinstance(one, keras.callbacks.TensorBoard):
            one.log_dir = os.path.join(str(one.log_dir), name)
