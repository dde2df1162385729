"""Keras's own callbacks that compare epochs, waiting for the end of a pruning's schedule."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import bad_type, bad_value, warn
from kerasopt._core.logs import metric_of, number_of, scalar
from kerasopt.stopping.rules.monitor import missing_metric


class _Waiting(keras.callbacks.Callback):
    """Mixin: the state of one of Keras's callbacks as plain data, and whether it has to wait."""

    waits_for_schedules = True
    monitor: str
    _resumed: Mapping[str, Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin anew, unless a state was just taken back."""
        super().on_train_begin(logs)
        if self._resumed is not None:
            self.set_state(self._resumed)
            self._resumed = None

    def _is_early(self) -> bool:
        return bool(fit_state.unsettled(self))

    def _with_entry(self, logs: Any) -> Any:
        """Give the logs, with the entry of an array in them that `monitor` may name.

        Raises:
            ValueError: If the array has no such entry, or the metric has a number a class.
        """
        if logs and logs.get(self.monitor) is not None:
            return {**logs, self.monitor: scalar(self.monitor, logs[self.monitor])}
        if not logs or metric_of(self.monitor) not in logs:
            return logs
        value = number_of(logs, self.monitor)
        if value is None:
            raise missing_metric(self.monitor, logs)
        return {**logs, self.monitor: value}

    def get_state(self) -> dict[str, Any]:
        """Give what it remembers of the run as plain data."""
        return {name: _plain(getattr(self, name)) for name in self._names()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take that back: the next `fit`, or the one that runs, goes on with it.

        Raises:
            TypeError: If it is no dict.
            ValueError: If something is missing.
        """
        names = self._names()
        if not isinstance(state, Mapping):
            raise bad_type("state", f"a dict of {list(names)}", state)
        if not set(names) <= set(state):
            raise bad_value("state", f"a dict of {list(names)}", sorted(state))
        self._resumed = dict(state)
        for name in names:
            setattr(self, name, state[name])

    def _names(self) -> tuple[str, ...]:
        kinds = _keras.CALLBACK_STATES.items()
        return next(names for kind, names in kinds if isinstance(self, kind))


def _plain(value: Any) -> Any:
    return float(np.asarray(value)) if keras.ops.is_tensor(value) else value


class ModelCheckpoint(_Waiting, keras.callbacks.ModelCheckpoint):
    """Save the model, or its best epoch after the end of a pruning's schedule.

    Takes the place of `keras.callbacks.ModelCheckpoint` by changing the import: the same arguments.
    With `save_best_only=True` beside `Pruning` or `ChannelPruning`, nothing is compared or saved
    until the sparsity has its last value: what is better before that is not pruned enough. Without
    a pruning, or with `save_best_only=False`, it is Keras's.

    Example:
    >>> import numpy as np, tempfile
    >>> from kerasopt.callbacks import Pruning
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
    >>> model.compile("sgd", "mse")
    >>> path = tempfile.mkdtemp() + "/best.keras"
    >>> checkpoint = ModelCheckpoint(path, monitor="loss", save_best_only=True)
    >>> _ = model.fit(np.ones((8, 4)), np.ones((8, 8)), epochs=4, verbose=0,
    ...               callbacks=[Pruning(0.5), checkpoint])
    >>> int((keras.models.load_model(path).get_weights()[0] == 0).sum())
    16
    """

    _epochs = 0
    _waited = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to wait."""
        self._epochs, self._waited = 0, False
        super().on_train_begin(logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save, if it is time."""
        if not (self.save_best_only and self.save_freq != "epoch" and self._is_early()):
            super().on_train_batch_end(batch, self._with_entry(logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, if it is time."""
        self._resumed = None
        if self.save_best_only and self._is_early():
            _keras.learn_direction(self)
            self._waited = True
            return
        _keras.learn_direction(self)
        self._epochs += 1
        super().on_epoch_end(epoch, self._with_entry(logs))

    def on_train_end(self, logs: Any = None) -> None:
        """Say if no epoch came after the schedule's end."""
        super().on_train_end(logs)
        if self._waited and not self._epochs:
            warn(
                "ModelCheckpoint: training ended before a pruning's schedule did, so no epoch "
                f"counted and nothing was saved to {self.filepath!r}."
            )


class ReduceLROnPlateau(_Waiting, keras.callbacks.ReduceLROnPlateau):
    """Reduce the learning rate when a metric has stopped improving, after a pruning's schedule.

    Takes the place of `keras.callbacks.ReduceLROnPlateau` by changing the import: the same
    arguments. Beside `Pruning` or `ChannelPruning` no epoch counts until the sparsity has its last
    value: that a metric gets worse while weights go is no plateau. Without a pruning it is Keras's.

    Example:
    >>> import numpy as np
    >>> from kerasopt.callbacks import Pruning
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> plateau = ReduceLROnPlateau("loss", patience=1, min_delta=1e9)
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 8)), epochs=8, verbose=0,
    ...                     callbacks=[Pruning(0.5), plateau])
    >>> [round(rate, 4) for rate in history.history["learning_rate"]]
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05]
    """

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the epoch, if it counts; log the learning rate in any case."""
        self._resumed = None
        _keras.learn_direction(self)
        logs = {} if logs is None else logs
        if not self._is_early():
            number_of(logs, self.monitor)  # a metric with a number a class cannot be compared
            given = self._with_entry(logs)
            super().on_epoch_end(epoch, given)
            if given is not logs:  # Keras logs the learning rate there
                del given[self.monitor]
                logs.update(given)
            return
        optimizer = self.model.optimizer
        several = getattr(optimizer, "optimizers", None)
        for one in several or [optimizer]:
            name = f"learning_rate_{one.name}" if several else "learning_rate"
            logs[name] = float(keras.ops.convert_to_numpy(one.learning_rate))
