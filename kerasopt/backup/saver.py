"""What saves and restores a run: behind the last callback, so that it sees what all have done."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import warn
from kerasopt._core.logs import plain
from kerasopt._core.messages import tell
from kerasopt.backup import callback_states, variables
from kerasopt.backup.numbered_files import BackupFiles


class Skipping:
    """Pass over the first batches of an epoch, with nobody else noticing.

    While they are passed over, the train function of the model only takes them from the iterator.
    The first one is trained on for real, which builds all that Keras builds late (metrics, losses,
    the optimizers of a `train_step` of one's own); the state that is restored afterwards makes up
    for it.

    Args:
        model: The model that trains.
        batches: Int >= 1, how many to pass over.
        logs: What the last of them reported.
    """

    def __init__(self, model: Any, batches: int, logs: Mapping[str, Any]):
        self.model = model
        self.batches = batches
        self._logs = dict(logs)
        self._train = model.train_function
        self._built = False
        model.train_function = self._pass_over

    def _pass_over(self, iterator: Any) -> dict[str, Any]:
        try:
            return self._passed_over(iterator)
        except BaseException:  # the data's own, or Ctrl-C: the next `fit` is to train
            self.finish()
            raise

    def _passed_over(self, iterator: Any) -> dict[str, Any]:
        if not self._built:
            self._train(iterator)
            self._built = True
            return self._logs
        for _ in range(_keras.steps_per_execution(self.model)):
            if next(iterator, None) is None:
                break
        return self._logs

    def done(self, batch: int) -> bool:
        """Tell whether the batch with this index was the last one to be passed over."""
        return batch + 1 >= self.batches

    def finish(self) -> None:
        """Give the model its train function back."""
        self.model.train_function = self._train


_FORMAT = 1


class Last(keras.callbacks.Callback):
    """The last callback of a run, put there by `BackupAndRestore` for this run only.

    Args:
        files: Where the backups are.
        save_freq: `"epoch"` or a number of batches.
        delete: Whether the backups go when training has ended.
        callbacks: The `keras.callbacks.CallbackList` of the run.
        first: What takes back, when the first epoch begins, where the run was made to begin.
    """

    def __init__(
        self, files: BackupFiles, save_freq: int | str, delete: bool, callbacks: Any, first: Any
    ):
        super().__init__()
        self.files = files
        self._every = save_freq if isinstance(save_freq, int) else None
        self._delete = delete
        self._list = callbacks
        self._first = first
        self._pending: tuple[Path, dict[str, Any]] | None = None
        self._skipping: Skipping | None = None
        self._all: list[Any] = []
        self._epoch = self._since = self._in_epoch = self._position = 0
        self._began_at: int | None = None
        self._moved = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the newest backup, if there is one, after all callbacks have begun."""
        found = self.files.newest()
        if self._every is not None or (found is not None and found[1].get("batch")):
            _keras.run_in_step(self._list)
        if found is None:
            return
        path, data = found
        if data.get("format") != _FORMAT:
            raise ValueError(
                f"The backup {str(path)!r} was written by another version of kerasopt. Use that "
                "one, or give another `backup_dir`."
            )
        if data["batch"]:
            # Within an epoch: once its seen batches are passed over.
            self._pending = found
            self._begin_at(data["epoch"])
        else:
            variables.build_optimizers(self.model)
            self._restore(path, data, metrics=False)
            self._begin_at(self.params["epochs"] if data["stopped"] else data["epoch"])
        self._position = data["position"]
        before, now = data["steps"], self.params.get("steps")
        if before and now and before != now:
            warn(
                f"BackupAndRestore: an epoch had {before} batches and now has {now}. The run that "
                "goes on is not the one that was broken off."
            )
        if self.params.get("verbose"):
            where = f"Resuming at epoch {data['epoch'] + 1}, batch {data['batch'] + 1}, from {path}"
            if data["stopped"]:
                where += ". That run had already been stopped: nothing is left to train"
            tell(where)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Go to the place in the data, in the first epoch of a resumed run."""
        self.begin_as_told()
        if self._position:
            _keras.set_data_position(self.model, self._position)
            self._position = 0
        self._epoch, self._in_epoch = epoch, 0
        if self._pending is not None:
            data = self._pending[1]
            self._skipping = Skipping(self.model, data["batch"], data["logs"])
            self._all, self._list.callbacks = self._list.callbacks, [self]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save, if it is time, or end the passing over of batches."""
        if self._skipping is not None:
            if self._skipping.done(batch):
                self._resume()
                self._in_epoch = batch + 1
            return
        if self._every is None:
            return
        self._since += batch + 1 - self._in_epoch
        self._in_epoch = batch + 1
        if self._since >= self._every and not self._broken_off():
            self._since = 0
            self._save(epoch=self._epoch, batch=batch + 1, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, if it is time."""
        if self._skipping is not None:
            self._give_up()
        if self._every is None and not self._broken_off():
            self._save(epoch=epoch + 1, batch=0, logs={})

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the backups and itself."""
        self.begin_as_told()
        if self._delete and not fit_state.interrupted(self):
            self.files.delete()
        self._list.callbacks.remove(self)

    # How it is done.

    def _begin_at(self, epoch: int) -> None:
        self._began_at = _keras.begin_at(self.model, epoch)
        self._moved = True
        # Any other callback may raise when that epoch begins.
        rest = [one for one in self._list.callbacks if one is not self._first]
        self._list.callbacks = [self._first, *rest]

    def begin_as_told(self) -> None:
        """Leave nothing behind for the next `fit` of the model."""
        if self._moved:
            _keras.begin_at(self.model, self._began_at)
            self._moved = False

    def _broken_off(self) -> bool:
        """Tell whether Ctrl-C ends this run: then the last backup before it is where to go on."""
        return fit_state.interrupted(self)

    def _save(self, epoch: int, batch: int, logs: Any) -> None:
        self.files.write(
            {
                "format": _FORMAT,
                "epoch": epoch,
                "batch": batch,
                "position": max(_keras.data_position(self.model) - batch, 0),
                "steps": self.params.get("steps"),
                "stopped": bool(self.model.stop_training),
                "logs": plain(logs or {}),
                "variables": variables.read(self.model),
                "random": variables.read_random(),
                "callbacks": callback_states.read(self._list.callbacks),
            }
        )

    def _restore(self, path: Path, data: dict[str, Any], metrics: bool) -> None:
        variables.write(self.model, data["variables"], str(path), metrics)
        callback_states.write(self._list.callbacks, data["callbacks"])
        variables.write_random(data["random"])

    def _end_skipping(self) -> tuple[Path, dict[str, Any]]:
        assert self._skipping is not None
        assert self._pending is not None
        self._skipping.finish()
        self._list.callbacks = self._all
        found, self._pending, self._skipping = self._pending, None, None
        return found

    def _resume(self) -> None:
        path, data = self._end_skipping()
        self._restore(path, data, metrics=True)
        self.model.stop_training = data["stopped"]

    def _give_up(self) -> None:
        path, data = self._end_skipping()
        raise ValueError(
            f"The backup {str(path)!r} had seen {data['batch']} batches of epoch "
            f"{data['epoch'] + 1}, but now the data have fewer. Give `fit` the same data, or "
            "another `backup_dir`."
        )
