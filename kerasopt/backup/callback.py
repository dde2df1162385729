"""Back up a run, and go on where it died: the callback that the user gives to `fit`."""

import os
from collections.abc import Mapping
from typing import Any, Self

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value, flag, is_integer, word_or_count
from kerasopt._core.display import Named
from kerasopt._core.serialization import fresh_copy
from kerasopt.backup.numbered_files import BackupFiles
from kerasopt.backup.saver import Last


class BackupAndRestore(Named, keras.callbacks.Callback):
    """Save the whole state of a run as it goes, and go on from there after a crash.

    Takes the place of `keras.callbacks.BackupAndRestore` by changing the import. Start the same
    script again, and `fit` goes on where it died. Kept are the weights, the optimizer, the epoch
    and batch, and what Keras's forgets: the state of every callback that has `get_state()` and
    `set_state(state)` (all of kerasopt's), of Keras's own EarlyStopping, ReduceLROnPlateau,
    ModelCheckpoint, LearningRateScheduler, SwapEMAWeights and History, and the state of every
    random seed generator, so that dropout draws the same masks. On a CPU the resumed run ends bit
    for bit like one that never died, if the data come in the same order: arrays with
    `shuffle=False`, a stateless `PyDataset` with `shuffle=False`, `tf.data` that does not shuffle
    anew in each epoch (`reshuffle_each_iteration=False`). Keras's own shuffling cannot be restored.

    Args:
        backup_dir: Path of a folder for the backups of this run alone; made if it is missing.
        save_freq: `"epoch"`, or an int n to save every n batches. The batches of an epoch that were
            seen are then passed over in the resumed one. Defaults to `"epoch"`.
        double_checkpoint: Whether the backup before the newest is kept as well, for the case that
            the newest gets damaged. Defaults to `True`.
        delete_checkpoint: Whether the backups are removed when training has ended, by itself or by
            an early stop; Ctrl-C leaves them. Defaults to `True`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value. When `fit` begins: if the model is not built,
            or the backup is of another model.
        DamagedFileError: When `fit` begins, a `ValueError`: if every backup is damaged.

    Example:
    >>> import keras, numpy as np, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> def train(epochs_to_live):
    ...     keras.utils.set_random_seed(1)
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     def die(epoch, logs):
    ...         if epoch == epochs_to_live:
    ...             raise RuntimeError("power cut")
    ...     killer = keras.callbacks.LambdaCallback(on_epoch_begin=die)
    ...     return model.fit(np.ones((8, 2)), np.ones(8), epochs=5, shuffle=False, verbose=0,
    ...                      callbacks=[BackupAndRestore(folder), killer])
    >>> train(epochs_to_live=3)
    Traceback (most recent call last):
        ...
    RuntimeError: power cut
    >>> train(epochs_to_live=9).epoch
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str = "epoch",
        double_checkpoint: bool = True,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not (isinstance(save_freq, str) or is_integer(save_freq)):  # as in Keras no `TypeError`
            raise bad_value("save_freq", '"epoch" or an integer >= 1, of batches', save_freq)
        self.save_freq = word_or_count("save_freq", save_freq, "epoch", "batches")
        self.delete_checkpoint = flag("delete_checkpoint", delete_checkpoint)
        self.double_checkpoint = flag("double_checkpoint", double_checkpoint)
        self.files = BackupFiles(backup_dir, keep=2 if self.double_checkpoint else 1)
        self._last: Last | None = None

    @property
    def backup_dir(self) -> str:
        """The folder."""
        return str(self.files.folder)

    def on_train_begin(self, logs: Any = None) -> None:
        """Look for a backup, and put what saves and restores behind the last callback."""
        self._forget_last()
        if not self.model.built:
            raise ValueError(
                "`BackupAndRestore` needs a built model, to give it its weights back: call it once "
                "on a batch, or `build` it, before `fit`."
            )
        if self.save_freq != "epoch":
            _keras.require_tensorflow("kerasopt.callbacks.BackupAndRestore(save_freq=n)")
        callbacks = _keras.callback_list()
        if callbacks is None:
            raise RuntimeError(
                "`BackupAndRestore` saves the state of all callbacks, so it must be one of a "
                "`keras.callbacks.CallbackList`, as in `fit(callbacks=[...])`."
            )
        for one in list(callbacks.callbacks):
            if isinstance(one, Last) and one.files is self.files:
                callbacks.callbacks.remove(one)  # left by a fit that an exception ended
        folder = self.files.folder.resolve()
        for other in callbacks.callbacks:
            if isinstance(other, Last) and other.files.folder.resolve() == folder:
                raise bad_value("backup_dir", "a folder that no other callback has", str(folder))
        self.files.prepare()
        # Keras goes through the list while this is added to it: what has the last word at every
        # later moment has it now, too, after all callbacks have begun.
        last = Last(self.files, self.save_freq, self.delete_checkpoint, callbacks, first=self)
        last.set_params(self.params)
        last.set_model(self.model)
        callbacks.callbacks.append(last)
        self._last = last

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Take back where `fit` was told to begin: a callback may raise before the last one."""
        self._forget_last()

    def _forget_last(self) -> None:
        if self._last is not None:
            self._last.begin_as_told()
            self._last = None

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data."""
        return {
            "backup_dir": self.backup_dir,
            "save_freq": self.save_freq,
            "delete_checkpoint": self.delete_checkpoint,
            "double_checkpoint": self.double_checkpoint,
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return fresh_copy(self, BackupAndRestore.get_config(self), memo)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a callback from what `get_config` gave."""
        return cls(**config)
