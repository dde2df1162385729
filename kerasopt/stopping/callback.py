"""Early stopping inside `fit`: the callback that asks a rule."""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import keras

from kerasopt import _keras, _run
from kerasopt._checks import at_least, bad_type, bad_value, flag, verbosity
from kerasopt.stopping.patience import Patience
from kerasopt.stopping.rule import missing_metric


class EarlyStopping(keras.callbacks.Callback):
    """Stop training when a metric has stopped improving, and go back to its best epoch.

    Takes the place of `keras.callbacks.EarlyStopping` by changing the import, with the same
    arguments. What is different: a NaN is never the best; a metric that does not exist is an error
    after the first epoch; epochs without validation use up no patience; a baseline must be beaten
    within `patience` epochs; the best weights are restored by default; the state can be saved; and
    epochs in which a `kerasopt.callbacks.Pruning` of the same `fit` has not reached its final
    sparsity are not compared, because their weights are of another model.

    Args:
        monitor: Name of the metric. Defaults to `"val_loss"`.
        min_delta: Float, the least change that counts as an improvement. Defaults to `0`.
        patience: Int >= 0, epochs without improvement before it stops. Defaults to `0`.
        verbose: `1` prints why training stopped and which epoch is restored. Defaults to `0`.
        mode: `"min"`, `"max"` or `"auto"`: from Keras's metric where that knows, else from the
            name. Defaults to `"auto"`.
        baseline: Float that must be beaten within `patience` epochs. Defaults to `None`.
        restore_best_weights: Whether the model gets the weights of its best epoch when training
            ends, for whatever reason it ends. Defaults to `True`.
        start_from_epoch: Int, the first epoch (from 0) that counts. Defaults to `0`.

    Attributes:
        stopped: Whether this callback stopped the run.
        reason: Why, in words; empty if it did not.
        stopped_epoch: The epoch (from 0) at whose end it stopped; 0 if it did not.
        best_epoch: The epoch (from 0) of the best value, `None` before the first.
        best_value: The best value, `None` before the first. Also as `best`.
        history: The values of the monitored metric by epoch.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value. After the first epoch: if the metric does not
            exist or its direction is unknown.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> stopper = EarlyStopping(monitor="loss", min_delta=10.0, patience=2)
    >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=9, callbacks=[stopper], verbose=0)
    >>> len(history.epoch), stopper.best_epoch, stopper.stopped
    (3, 0, True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
    ):
        super().__init__()
        if not isinstance(monitor, str):
            raise bad_type("monitor", "the name of a metric", monitor)
        self.monitor = monitor
        self.rule = Patience(patience, min_delta, baseline, monitor, mode)
        self.verbose = verbosity(verbose)
        self.mode = mode
        self.restore_best_weights = flag("restore_best_weights", restore_best_weights)
        self.start_from_epoch = at_least("start_from_epoch", start_from_epoch, 0)
        self._resumed = False
        self._forget()

    def _forget(self) -> None:
        self.rule.reset()
        self.rule.mode = self.mode
        self.stopped = False
        self.reason = ""
        self.stopped_epoch = 0
        self.history: dict[int, float] = {}
        self.best_weights: list[Any] | None = None
        self._waited_for = ""

    @property
    def best_epoch(self) -> int | None:
        """The epoch (from 0) of the best value."""
        return self.rule.best_step

    @property
    def best_value(self) -> float | None:
        """The best value of the metric."""
        return self.rule.best

    best = best_value

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin anew, unless a state was just taken back."""
        if not self._resumed:
            self._forget()
        self._resumed = False
        self.stopped = False
        self.reason = ""
        self.stopped_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ask the rule, keep the weights if they are the best, stop if it says so."""
        logs = logs or {}
        self._find_direction()
        value = logs.get(self.monitor)
        if value is None:
            self._check_missing(logs)
            return
        self.history[epoch] = float(value)
        if epoch < self.start_from_epoch:
            return
        if waiting := _run.unsettled(self):
            if not self._waited_for:
                self._say_what_it_waits_for(waiting)
            return
        before = self.rule.best
        verdict = self.rule.update(epoch, {self.monitor: float(value)})
        if self.restore_best_weights and self.rule.best != before:
            self.best_weights = self.model.get_weights()
        if verdict.stop:
            self.stopped, self.stopped_epoch, self.reason = True, epoch, verdict.reason
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights, and say why training stopped."""
        if not self.history:
            warnings.warn(
                f"EarlyStopping: no epoch reported {self.monitor!r}, so it did nothing. Was "
                "`validation_data` given to `fit`?",
                stacklevel=2,
            )
        elif self.rule.best is None:
            cause = "no value was a finite number"
            if self._waited_for:
                cause = f"training ended before {self._waited_for}"
            elif max(self.history) < self.start_from_epoch:
                cause = f"training ended before start_from_epoch={self.start_from_epoch}"
            warnings.warn(
                f"EarlyStopping: {cause}, so no epoch counted and no weights were restored.",
                stacklevel=2,
            )
        if self.stopped and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping, {self.reason}")  # noqa: T201
        self.restore()

    def restore(self) -> None:
        """Give the model the weights of its best epoch; also after a `fit` that was broken off."""
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose and self.best_epoch is not None:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}")  # noqa: T201
            self.model.set_weights(self.best_weights)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data."""
        return {
            "monitor": self.monitor,
            "min_delta": self.rule.min_delta,
            "patience": self.rule.patience,
            "verbose": self.verbose,
            "mode": self.mode,
            "baseline": self.rule.baseline,
            "restore_best_weights": self.restore_best_weights,
            "start_from_epoch": self.start_from_epoch,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a callback from what `get_config` gave."""
        return cls(**config)

    def get_state(self) -> dict[str, Any]:
        """Give the rule's state, the values so far and the best weights, as plain data."""
        return {
            "rule": self.rule.get_state(),
            "history": {str(epoch): value for epoch, value in self.history.items()},
            "best_weights": self.best_weights,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit` goes on from there.

        Raises:
            TypeError: If it is no dict.
            ValueError: If it is not what `get_state` gives.
        """
        form = "what `get_state` gave: a dict with `rule`, `history` and `best_weights`"
        if not isinstance(state, Mapping):
            raise bad_type("state", form, state)
        if {"rule", "history", "best_weights"} - set(state):
            raise bad_value("state", form, sorted(state))
        self._forget()
        self.rule.set_state(state["rule"])
        self.history = {int(epoch): value for epoch, value in state["history"].items()}
        weights = state["best_weights"]
        self.best_weights = None if weights is None else list(weights)
        self._resumed = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # KerasTuner copies callbacks for every trial; a copy shares nothing of a run with this one.
        return type(self).from_config(self.get_config())

    def _say_what_it_waits_for(self, waiting: list[tuple[str, int | None]]) -> None:
        until = max((step for _, step in waiting if step is not None), default=None)
        names = " and ".join(name for name, _ in waiting)
        self._waited_for = names if until is None else f"{names} was done, at step {until}"
        total, per_epoch = _run.length(self)
        if until is None or total is None or not per_epoch or until > total:
            return
        left = (total - until) // per_epoch
        if left <= max(self.rule.patience, 1):
            warnings.warn(
                f"EarlyStopping: only epochs after {names} count, which is done at step {until} of "
                f"{total}. The {left} epochs left are too few to stop with "
                f"patience={self.rule.patience}; it will only pick the best of them.",
                stacklevel=2,
            )

    def _find_direction(self) -> None:
        if self.rule.mode == "auto":
            known = _keras.direction(self.model, self.monitor.removeprefix("val_"))
            if known:
                self.rule.mode = known
            self.rule.resolved_mode()

    def _check_missing(self, logs: Mapping[str, Any]) -> None:
        base = self.monitor.removeprefix("val_")
        validated = any(name.startswith("val_") for name in logs)
        # With `validation_freq` above 1 an epoch without validation is nothing to complain about.
        if base == self.monitor or validated or base not in logs:
            raise missing_metric(self.monitor, logs)
