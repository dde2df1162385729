"""The steps of one `fit`, a schedule that follows them, and the variables that training changes."""

from collections.abc import Mapping
from typing import Any

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import bad_value, is_integer, warn
from kerasopt.schedules import Schedule
from kerasopt.selection import Selection, advice, reasons, select


class Steps:
    """Counts the batches of a `fit` and fits a schedule to its length.

    A step is a batch of this `fit`, counted from 0, or from where an `initial_epoch` or a restored
    state puts it. The optimizer's counter is not used: gradient accumulation, loss scaling and
    pretraining move it differently.

    Args:
        callback: The Keras callback that counts.
        schedule: Its schedule, in any moments.
        who: The callback's name, for warnings.
        what: What the schedule gives: `"the sparsity"`.

    Attributes:
        resolved: The schedule in steps; from the first epoch of the `fit` on.
        settled_at: The step at which it has its last value; without an end, that from which on its
            value no longer changes.
        total: The number of steps when the run ends, or `None` where that is unknown.
    """

    def __init__(self, callback: Any, schedule: Schedule, who: str, what: str):
        self._callback = callback
        self._schedule = schedule
        self._who, self._what = who, what
        self._epoch_start = self._in_epoch = 0
        self._begun = False
        self.resolved = schedule
        self.settled_at = 0
        self.total: int | None = None

    @property
    def done(self) -> int:
        """The number of steps done, counted from the schedule's 0."""
        per_epoch = fit_state.length(self._callback)[1]
        # The last execution of an epoch is numbered as if it were a full one.
        return self._epoch_start + min(self._in_epoch, per_epoch or self._in_epoch)

    def check(self) -> None:
        """Check, before the first epoch, that the schedule can be fitted to this run.

        Raises:
            ValueError: If it needs the run's length and that is unknown.
        """
        total, per_epoch = fit_state.length(self._callback)
        self._schedule.resolve(total, per_epoch)
        several = _keras.steps_per_execution(self._callback.model)
        if per_epoch is None and several > 1:
            self._warn(
                f"with data of unknown length and steps_per_execution={several} the last "
                "execution of an epoch counts as a full one. Pass `steps_per_epoch` to `fit`."
            )

    def begin_epoch(self, epoch: int) -> bool:
        """Note that an epoch begins; tell whether it is the first of this run."""
        self._epoch_start, self._in_epoch = self.done, 0
        if self._begun:
            return False
        self._begun = True
        self._plan(epoch)
        return True

    def _plan(self, epoch: int) -> None:
        per_epoch = fit_state.length(self._callback)[1]
        if epoch and per_epoch:
            self._epoch_start = epoch * per_epoch
        elif epoch and not self._epoch_start:
            self._warn(
                f"training begins at epoch {epoch} with data of unknown length, so its steps are "
                "counted from 0. Pass `steps_per_epoch` to `fit`."
            )
        self.total = None
        if per_epoch:
            self.total = self._epoch_start + (self._callback.params["epochs"] - epoch) * per_epoch
        self.resolved = self._schedule.resolve(self.total, per_epoch)
        begin = self.resolved.steps[0]
        self.settled_at = self.resolved.settles(self.total)
        if self.total is not None and self.settled_at > self.total:
            reached = 0.0 if self.total < begin else self.resolved(self.total)
            last = self.resolved(self.settled_at)
            self._warn(
                f"this run ends at step {self.total}, but its schedule at step {self.settled_at}: "
                f"{self._what} will reach {reached:.3g} instead of {last:.3g}. Train "
                "longer, or give `end` as a fraction of the run."
            )

    def upcoming(self, batch: int) -> int:
        """Give how many steps will be done once the execution that begins with `batch` is over."""
        per_epoch = fit_state.length(self._callback)[1]
        several = _keras.steps_per_execution(self._callback.model)
        if per_epoch:
            several = max(1, min(several, per_epoch - batch))
        return self._epoch_start + batch + several

    def beginning(self, batch: int) -> int:
        """Give how many steps are done when the execution that begins with `batch` begins."""
        return self._epoch_start + batch

    def end_batch(self, batch: int) -> None:
        """Note that a batch is done."""
        self._in_epoch = batch + 1

    def end(self, reached: float) -> None:
        """Say, at the end of the run, if it was shorter than the schedule."""
        if not self._begun:
            return
        begin, end = self.resolved.steps
        # A schedule without an end has not said what it is to reach.
        due = begin if end is None else end
        if self.done < due:
            self._warn(
                f"training ended after {self.done} steps, before the schedule's end at step "
                f"{due}: {self._what} is {reached:.3g} instead of {self.resolved.last:.3g}."
            )

    def get_state(self) -> dict[str, int]:
        """Give the count as plain data."""
        return {"step": self.done, "in_epoch": self.done - self._epoch_start}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take the count back; what else stands in `state` is ignored."""
        self._in_epoch = int(state.get("in_epoch", 0))
        self._epoch_start = int(state["step"]) - self._in_epoch

    def _warn(self, message: str) -> None:
        warn(f"{self._who}: {message}")


def is_state(state: Any) -> bool:
    """Tell whether a dict holds a count as `Steps.get_state` gives it."""
    return is_integer(state.get("step")) and is_integer(state.get("in_epoch", 0))


def select_trainable(model: Any, include: Any, exclude: Any, variables: str, who: str) -> Selection:
    """Select variables as `kerasopt.selection.select` does, and leave out those of frozen layers.

    A frozen kernel could not recover from losing its small weights, and a penalty does nothing on
    it.

    Args:
        model: A built Keras model.
        include: Which layers.
        exclude: Which layers not.
        variables: `"kernels"`, `"biases"` or `"all"`.
        who: The public name of what selects, for the warning.

    Raises:
        ValueError: If nothing is left.

    Warns:
        UserWarning: Naming the frozen layers, and those with LoRA or integer weights.
    """
    chosen = select(model, include, exclude, variables)
    trained = {id(variable) for variable in model.trainable_variables}
    kept = Selection([one for one in chosen if id(one.variable) in trained], chosen.left_out)
    frozen = [one.name for one in chosen if id(one.variable) not in trained]
    frozen += [path for path, why in chosen.left_out.items() if why == "frozen"]
    frozen = list(dict.fromkeys(frozen))
    kept.left_out.update(dict.fromkeys(frozen, "frozen"))
    if not kept:
        raise bad_value(
            "model",
            "a model with variables that train",
            model,
            f"All that are selected are frozen: {frozen}.",
        )
    altered = {path: why for path, why in chosen.left_out.items() if advice({path: why})}
    if altered:
        warn(f"{who} leaves out {reasons(altered)}. {advice(altered)}")
    if frozen:
        warn(
            f"{who} leaves out frozen layers: {', '.join(map(repr, frozen))}. Set "
            "`layer.trainable = True` and compile again to have them."
        )
    return kept
