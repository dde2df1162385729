"""Gradual magnitude pruning inside `fit`."""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import keras
import numpy as np

from kerasopt import _keras, _run, schedules
from kerasopt._checks import at_least, bad_type, bad_value
from kerasopt.pruning import constraint
from kerasopt.pruning.largest import keep_largest
from kerasopt.pruning.mask import magnitudes, number_kept
from kerasopt.pruning.updates import Updates
from kerasopt.selection import Selection, select


class Pruning(keras.callbacks.Callback):
    r"""Zero the weights of smallest magnitude, more and more of them, while the model trains.

    The masks are constraints on the kernels' variables, so they hold inside the compiled step:
    after every step the pruned weights are exactly zero, whatever the order of callbacks, with
    `steps_per_execution`, XLA, mixed precision, `MirroredStrategy`, gradient accumulation and
    moving averages of the weights. After `k` steps each kernel of `n` weights has exactly
    `n - max(round(n * (1 - schedule(k))), 1)` zeros, or those of the last update before. When `fit`
    ends the constraints are taken off and the user's own are back; the model is an ordinary one,
    which loads without kerasopt.

    A step is a batch of this `fit`, counted from 0. It goes on from an earlier run only through
    `initial_epoch` or `set_state`. The optimizer's own counter is not used: gradient accumulation
    and loss scaling move it differently.

    `fit`'s history gets `sparsity`, the share of zeros among the selected kernels after each epoch.

    Args:
        schedule: A `kerasopt.schedules.Schedule`, or a float in [0, 1): the final sparsity, reached
            along `PolynomialDecay(0.0, schedule, begin=0, end=0.75)`, which leaves the last quarter
            of the run to recover.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all kernels.
        exclude: Which layers not, in the same forms. Defaults to `None`.
        frequency: Steps between two choices of masks, or `"auto"`: every 100, or more often where
            the schedule is short, so that there are at least 20. The last one is always at the
            schedule's end. Defaults to `"auto"`.
        verbose: `1` prints the sparsity reached when training ends. Defaults to `0`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a sparsity is outside [0, 1). When `fit` begins: if the model is not built,
            nothing is selected, two prunings select the same kernel, or the schedule needs the
            run's length and that is unknown.
        RuntimeError: When `fit` begins, if Keras does not run on TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> from kerasopt.schedules import PolynomialDecay
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(10),
    ...                           keras.layers.Dense(1, name="top")])
    >>> model.compile("adam", "mse")
    >>> pruning = Pruning(PolynomialDecay(0.0, 0.8, begin=0, end=1.0), exclude="top")
    >>> history = model.fit(np.ones((40, 8)), np.ones(40), callbacks=[pruning], verbose=0)
    >>> round(history.history["sparsity"][-1], 3), int((model.get_weights()[0] == 0).sum())
    (0.8, 64)
    """

    # Keras may run `on_train_batch_end` late, in a thread of its own, and so spares every step a
    # wait for the device: it only notes the batch.
    async_safe = True

    def __init__(
        self,
        schedule: schedules.Schedule | float,
        include: Any = None,
        exclude: Any = None,
        frequency: int | str = "auto",
        verbose: int = 0,
    ):
        super().__init__()
        self.schedule = _checked_schedule(schedule)
        self.include = include
        self.exclude = exclude
        if frequency != "auto":
            if isinstance(frequency, str):
                raise bad_value("frequency", 'an integer >= 1 or "auto"', frequency)
            at_least("frequency", frequency, 1)
        self.frequency = frequency
        self.verbose = verbose
        self.sparsity = 0.0
        self._masks: list[constraint.Mask] = []
        self._resumed: Mapping[str, Any] | None = None
        self._forget()

    def _forget(self) -> None:
        self.step = 0
        self._epoch_start = 0
        self._in_epoch = 0
        self._updated = -1
        self._begun = False

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Select the kernels, put masks of ones on them, and check the schedule against the run."""
        _keras.require_tensorflow("kerasopt.callbacks.Pruning")
        total, per_epoch = _run.length(self)
        self._resolved = self.schedule.resolve(total, per_epoch)
        begin, end = self._resolved.steps
        updates = Updates.every(self.frequency, begin, end)
        if total is not None and end is not None and end > total:
            updates = replace(updates, end=max(begin, total))
        self._updates = updates
        self.selection = self._select()
        self._forget()
        self._masks = constraint.put_on(self.model, self.selection)
        if self._resumed is not None:
            resumed, self._resumed = self._resumed, None
            try:
                self._take_up(resumed)
            except ValueError:
                self.release()
                raise
        self._settled_at = begin if end is None else end
        if total is not None and self._settled_at > total:
            reached = 0.0 if total < begin else self._resolved(total)
            warnings.warn(
                f"Pruning: this run has {total} steps, but its schedule ends at step "
                f"{self._settled_at}: the sparsity will reach {reached:.3f} instead of "
                f"{self._resolved.last:.3f}. Train longer, or give `end` as a fraction of the run.",
                stacklevel=2,
            )
        if self.step < self._settled_at:
            _run.unsettle(self, f"Pruning, until step {self._settled_at}")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Find the step at which the run begins or goes on."""
        if not self._begun:
            self._begun = True
            per_epoch = _run.length(self)[1]
            if epoch and per_epoch:
                self.step = epoch * per_epoch
            elif epoch and not self.step:
                warnings.warn(
                    f"Pruning: training begins at epoch {epoch} with data of unknown length, so "
                    "its steps are counted from 0. Pass `steps_per_epoch` to `fit`.",
                    stacklevel=2,
                )
        self._epoch_start = self.step
        self._in_epoch = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Choose new masks, if some are due, for the steps that are about to run."""
        per_epoch = _run.length(self)[1]
        several = _keras.steps_per_execution(self.model)
        if per_epoch:
            several = max(1, min(several, per_epoch - batch))
        # Chosen before the steps, the masks of step k hold when step k has been done: callbacks
        # before and after this one see the same.
        now = self._epoch_start + batch + several
        if self._updates.due(self._updated, now):
            self._update(now)
            self._updated = now
        if now >= self._settled_at:
            _run.settle(self)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Note the batch."""
        self._in_epoch = batch + 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count the epoch's steps and log the sparsity."""
        per_epoch = _run.length(self)[1]
        # The last execution of an epoch is numbered as if it were a full one.
        self.step = self._epoch_start + min(self._in_epoch, per_epoch or self._in_epoch)
        self.sparsity = self._measure()
        if logs is not None:
            logs["sparsity"] = self.sparsity

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Apply the masks once more, take them off, and say if the schedule was cut short."""
        # An average of the weights, or another callback's older copy, may have come in since.
        for mask in self._masks:
            mask.hold()
        self.sparsity = self._measure()
        if self.step < self._settled_at:
            warnings.warn(
                f"Pruning: training ended after {self.step} steps, before the schedule's end at "
                f"step {self._settled_at}: the sparsity is {self.sparsity:.3f} instead of "
                f"{self._resolved.last:.3f}.",
                stacklevel=2,
            )
        if self.verbose:
            print(f"Pruning: sparsity {self.sparsity:.4f} after {self.step} steps")  # noqa: T201
        self.release()

    # What the user may call.

    def release(self) -> None:
        """Take the masks off and give the user's own constraints back, as the end of `fit` does.

        Needed only after a `fit` that was broken off by an exception.
        """
        if self._masks:
            constraint.take_off(self.model, self._masks)
        self._masks = []

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data where they are."""
        return {
            "schedule": schedules.serialize(self.schedule),
            "include": self.include,
            "exclude": self.exclude,
            "frequency": self.frequency,
            "verbose": self.verbose,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a callback from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Schedule classes of your own, by name. Defaults to `None`.
        """
        arguments = dict(config)
        arguments["schedule"] = schedules.deserialize(config["schedule"], custom_objects)
        return cls(**arguments)

    def get_state(self) -> dict[str, Any]:
        """Give the step and the masks as plain data: ints and Boolean arrays by variable path."""
        masks = (
            {
                target.path: keras.ops.convert_to_numpy(mask.mask)
                for target, mask in zip(self.selection, self._masks, strict=True)
            }
            if self._masks
            else {}
        )
        return {"step": self.step, "updated": self._updated, "masks": masks}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit` goes on from there.

        Raises:
            ValueError: When `fit` begins, if the masks do not fit the selected kernels.
        """
        self._resumed = copy.deepcopy(dict(state))
        if self._masks:
            self._take_up(self._resumed)
            self._resumed = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # KerasTuner copies callbacks for every trial; a copy shares nothing of a run with this one.
        return type(self)(
            copy.deepcopy(self.schedule, memo),
            self.include,
            self.exclude,
            self.frequency,
            self.verbose,
        )

    # How it is done.

    def _select(self) -> Selection:
        chosen = select(self.model, self.include, self.exclude)
        taken = set(_run.claim(self, "masked", [target.path for target in chosen]))
        if taken:
            raise bad_value(
                "include",
                "kernels that no other Pruning of this fit has",
                self.include,
                f"Selected twice: {sorted(taken)}.",
            )
        return chosen

    def _take_up(self, state: Mapping[str, Any]) -> None:
        self.step = self._epoch_start = int(state["step"])
        self._updated = int(state["updated"])
        for target, mask in zip(self.selection, self._masks, strict=True):
            kept = np.asarray(state["masks"].get(target.path, True), bool)
            if kept.ndim and kept.shape != tuple(target.variable.shape):
                raise bad_value(
                    "state",
                    f"a mask of shape {tuple(target.variable.shape)} for {target.path}",
                    kept.shape,
                )
            mask.mask.assign(np.broadcast_to(kept, target.variable.shape))
            mask.hold()

    def _update(self, step: int) -> None:
        sparsity = self._resolved(step)
        if not 0.0 <= sparsity < 1.0:
            raise bad_value("schedule", "a sparsity in [0, 1) at every step", self.schedule)
        chosen = []
        for target, mask in zip(self.selection, self._masks, strict=True):
            scores = magnitudes(constraint.numbers(target.variable), target.path)
            chosen.append((mask, keep_largest(scores, number_kept(scores.size, sparsity))))
        for mask, kept in chosen:
            mask.mask.assign(kept)
            mask.hold()

    def _measure(self) -> float:
        zeros = total = 0
        for target in self.selection:
            weights = constraint.numbers(target.variable)
            total += weights.size
            zeros += weights.size - int(np.count_nonzero(weights))
        return zeros / max(total, 1)


def _checked_schedule(schedule: Any) -> schedules.Schedule:
    if isinstance(schedule, bool) or not isinstance(schedule, (schedules.Schedule, int, float)):
        raise bad_type("schedule", "a kerasopt.schedules.Schedule or a float in [0, 1)", schedule)
    if not isinstance(schedule, schedules.Schedule):
        if not 0.0 <= schedule < 1.0:
            raise bad_value("schedule", "a sparsity in [0, 1)", schedule)
        return schedules.PolynomialDecay(0.0, float(schedule), begin=0, end=0.75)
    low, high = schedule.bounds()
    if low < 0.0 or high >= 1.0:
        raise bad_value("schedule", "sparsities in [0, 1)", schedule)
    return schedule
