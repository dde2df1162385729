"""Pruning inside `fit`."""

import copy
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Self

import keras

from kerasopt import _keras, schedules
from kerasopt._core import fit_state
from kerasopt._core.checks import at_least, bad_value, one_of, verbosity, warn, word_or_count
from kerasopt._core.display import Named
from kerasopt._core.messages import tell
from kerasopt._core.serialization import fresh_copy
from kerasopt._fit_steps import Steps, select_trainable
from kerasopt._kernels import filled
from kerasopt.pruning.collapse import Collapse
from kerasopt.pruning.criteria import get as get_criterion
from kerasopt.pruning.enforcement import mask_constraint
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.pruning.enforcement.mask_updates import (
    Choosing,
    Updates,
    checked_state,
    matching_masks,
)
from kerasopt.pruning.enforcement.reminder import forget, remind
from kerasopt.pruning.monitors import warn_of_monitors
from kerasopt.pruning.patterns import Weight
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.prunable import is_depthwise, select_prunable
from kerasopt.pruning.pruning_arguments import (
    as_plain,
    check_expressible,
    checked_dynamics,
    checked_folder,
    checked_schedule,
    chosen_scope,
    made_again,
)
from kerasopt.pruning.report.tensorboard import Board
from kerasopt.pruning.scopes import PerLayer
from kerasopt.schedules.moments import moment_in_steps
from kerasopt.selection import Selection, check_picks, reasons


class Pruning(Named, keras.callbacks.Callback):
    r"""Zero the least important weights, more and more of them, while the model trains.

    The masks are constraints on the kernels' variables, so they hold inside the compiled step:
    after every step the pruned weights are exactly zero, whatever the order of callbacks, with
    `steps_per_execution`, XLA, mixed precision, `MirroredStrategy`, gradient accumulation and
    moving averages of the weights. If the last update of the masks was for step `k`, of `n` weights
    exactly `n - max(round(n * (1 - schedule(k))), 1)` are zero: of all selected kernels together,
    or by `scope="layer"` of each (where the schedule falls, weights let free begin at zero).
    Kernels of frozen layers are left out, with a warning. When `fit` ends the masks are taken off
    and the user's own constraints work as before; the model is an ordinary one, which loads without
    kerasopt. A further `fit` that shall keep the zeros needs `Pruning("keep")`; one without says
    once that it fills them.

    A model that collapses while the sparsity rises is said to, once, with what to try. So are
    Keras's own EarlyStopping, ReduceLROnPlateau and ModelCheckpoint(save_best_only=True) beside it,
    which compare epochs of different sparsity: those of `kerasopt.callbacks` wait for the end.

    A step is a batch of this `fit`, counted from 0. It goes on from an earlier run only through
    `initial_epoch` or `set_state`. The optimizer's own counter is not used: gradient accumulation
    and loss scaling move it differently.

    `fit`'s history, and the callbacks after this one, get `sparsity`: the share of zeros among the
    selected kernels after each epoch.

    Args:
        schedule: A `kerasopt.schedules.Schedule`, or an object with the interface of tfmot's
            (`schedule(step) -> (should_prune, sparsity)`), or a float in [0, 1): the final
            sparsity, reached along `PolynomialDecay(0.0, schedule, begin=0, end=0.75)`, which
            leaves the last quarter of the run to recover. `"keep"` holds the zeros that the model
            has, and makes no others.
        criterion: Which weights go: `"magnitude"`, `"lamp"`, `"random"`; with `data` also
            `"taylor"`, `"snip"`, `"movement"`, `"wanda"`; a criterion of `kerasopt.pruning`, or a
            function `weights -> scores`, of which the lowest go. Defaults to `"magnitude"`.
        pattern: In what shape: `"weight"`, `"2:4"` (two of four stay, along the input axis),
            `"block_4x4"`, `"channel"`, or a pattern of `kerasopt.pruning`. Defaults to `"weight"`.
        scope: How layers share the sparsity: `"layer"` (each has it, as in tfmot), `"global"` (all
            together), `"erk"` (big layers get sparser), `"dense_ends"` (all but the first and the
            last), a dict of layer -> sparsity, or a scope of `kerasopt.pruning`. `"auto"` is
            `Global(floor=0.1)` for single weights by magnitude, LAMP or Taylor: all together, but
            each keeps a tenth of what `"layer"` would leave it; else `"layer"`. Defaults to
            `"auto"`.
        data: What gradients or activations are computed of: `(x, y)` of arrays, or batches of that
            form (a `tf.data.Dataset`, a `PyDataset`, a list); for `"wanda"` x alone does, an array
            or a dict by input name. Defaults to `None`.
        batches: Integer >= 1, how many batches (of 32 samples, or as yours are) at each choice of
            masks; each costs about a step of training. Defaults to `4`.
        include: Which layers, as in `kerasopt.selection.select`; `"*"` is all. Defaults to `None`:
            all kernels but depthwise ones, whose loss costs most and saves least.
        exclude: Which layers not, in the same forms. Defaults to `None`.
        frequency: Steps between two choices of masks, or `"auto"`: every 100, or more often where
            the schedule is short, so that there are at least 20. The last one is always at the
            schedule's end. Defaults to `"auto"`.
        dynamics: What moves the masks between two changes of the sparsity: `"gradual"` (what the
            criterion chooses anew), `"rigl"` (Evci et al., 2020: the smallest go, others grow where
            the gradient is largest; needs `data`), `"set"` (Mocanu et al., 2018: others grow at
            random), or `RigL(...)`, `Set(...)` of `kerasopt.pruning`. Defaults to `"gradual"`.
        momentum: `"mask"` zeroes the optimizer's slots of pruned weights too, so that a weight that
            comes back begins without an old momentum; `"keep"` leaves them. Defaults to `"keep"`.
        log_dir: Folder in which TensorBoard finds, at each choice of masks, the sparsity, threshold
            (smallest magnitude left) and churn (share of masks that changed) of each kernel.
            Defaults to `None`: nothing is written.
        verbose: `1` prints once which layers are left out and why, and the sparsity reached when
            training ends. Defaults to `0`.

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
        schedule: schedules.Schedule | float | str,
        *,
        criterion: Any = "magnitude",
        pattern: Any = "weight",
        scope: Any = "auto",
        data: Any = None,
        batches: int = 4,
        include: Any = None,
        exclude: Any = None,
        frequency: int | str = "auto",
        dynamics: Any = "gradual",
        momentum: str = "keep",
        log_dir: Any = None,
        verbose: int = 0,
    ):
        super().__init__()
        self.keeps = isinstance(schedule, str) and schedule == "keep"
        self.schedule = checked_schedule(schedule)
        self._highest = self.schedule.bounds()[1]
        check_picks("include", include)
        check_picks("exclude", exclude)
        self.include = include
        self.exclude = exclude
        self.frequency = word_or_count("frequency", frequency, "auto", "steps")
        self.criterion = get_criterion(criterion)
        self.pattern = get_pattern(pattern)
        self.dynamics = checked_dynamics(dynamics, self.pattern)
        self.scope = chosen_scope(scope, self.pattern, self.criterion, self.dynamics)
        check_expressible(self.schedule, self.pattern, self.scope)
        self.momentum = one_of("momentum", momentum, ["keep", "mask"])
        self.data = data
        self.batches = at_least("batches", batches, 1)
        self.log_dir = checked_folder("log_dir", log_dir)
        self.verbose = verbosity(verbose)
        self.selection = Selection()
        self.sparsity = 0.0
        self._masks: Masks | None = None
        self._board: Board | None = None
        self._resumed: dict[str, Any] | None = None
        self._forget()

    def _forget(self) -> None:
        self._steps = Steps(self, self.schedule, "Pruning", "the sparsity")
        self._updated = self._looked = -1
        self._settled_at = 0
        self._known = 0.0
        self._collapse = Collapse("Pruning", self)
        self._left: dict[str, Any] = {"target": None, "masks": {}, "collected": {}}

    @property
    def step(self) -> int:
        """The number of steps done, counted from the schedule's 0."""
        return self._steps.done

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """Select the kernels, put masks of ones on them, and check the schedule against the run."""
        _keras.require_tensorflow("kerasopt.callbacks.Pruning")
        self.release()
        try:
            self._begin()
        except BaseException:
            # Training never begins: nothing may stay of this run, nor of one that was broken off.
            mask_constraint.take_off(self.model, self.model.variables)
            self._masks = self._resumed = None
            raise

    def _begin(self) -> None:
        self._forget()
        self._steps.check()
        claimed = fit_state.claimed(self, "masked")
        stale = [one for one in self.model.variables if id(one) not in claimed]
        mask_constraint.take_off(self.model, stale)
        picks = self.include, self.exclude
        if self.keeps:  # all zeros that there are
            chosen = select_trainable(self.model, *picks, "kernels", "Pruning")
        else:
            chosen = select_prunable(self.model, *picks, "Pruning", self.scope)
        taken = fit_state.claim(self, "masked", {id(one.variable): one.path for one in chosen})
        if taken:
            raise bad_value(
                "include",
                "kernels that no other Pruning of this fit has",
                self.include,
                f"Selected twice: {taken}.",
            )
        self.scope.check([target.path for target in chosen])
        self.selection = chosen
        self._check_slots()
        self._masks = Masks(self.model, chosen, self.momentum == "mask")
        how = (self.criterion, self.pattern, self.scope, self.dynamics, self.data, self.batches)
        self._choosing = Choosing(self.model, self._masks, *how)
        self._masks.warn_of_edges(self.pattern, "Pruning")
        if self.keeps:
            lost = filled(target.variable for target in chosen)
            if lost:
                warn(f'Pruning("keep") holds the zeros that there are. {lost}')
            self._masks.keep_zeros()
        # From under the masks, as nothing can go wrong from here on.
        self._known = forget(target.variable for target in chosen)
        if self._resumed is not None:
            self._take_up(self._resumed, self._masks)
        self._board = None if self.log_dir is None else Board(self.log_dir)
        if self.verbose:
            left = f"; left out: {reasons(chosen.left_out)}" if chosen.left_out else ""
            tell(f"Pruning: {len(chosen)} kernel{'s' * (len(chosen) > 1)}{left}")
        fit_state.unsettle(self, "Pruning")

    def _check_slots(self) -> None:
        if self.momentum == "mask" and getattr(self.model, "optimizer", None) is None:
            raise bad_value(
                "momentum",
                "'keep' with a model that keeps its optimizers itself",
                self.momentum,
                "Their slots cannot be told from here.",
            )

    def _say_what_trains_again(self) -> None:
        schedule = self._steps.resolved
        foreign = isinstance(schedule, schedules.Foreign)  # asked about each step once
        begins = schedule.bounds()[0] if foreign else schedule(self._steps.done)
        if self._known > begins + 0.01 and not self.keeps:
            warn(
                f"Pruning: the kernels have {self._known:.1%} zeros of an earlier pruning, and "
                f"this schedule begins at {begins:.3g}: they train again. Begin where it ended, as "
                f"`PolynomialDecay({self._known:.3g}, ...)`, or hold the zeros with "
                "`Pruning('keep')`."
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the step at which the run begins or goes on, and fit the schedule to the run."""
        if self._steps.begin_epoch(epoch):
            self._resumed = None
            self._say_what_trains_again()
            self._plan()

    def _plan(self) -> None:
        begin, end = self._steps.resolved.steps
        total = self._steps.total
        last = end
        if end is not None and total is not None:
            last = min(end, max(begin, total))
        self._updates = replace(Updates.every(self.frequency, begin, end), end=last)
        self._settled_at = self._steps.settled_at
        if self.dynamics is not None:
            # Connections are exchanged beyond the schedule's end.
            per_epoch = fit_state.length(self)[1]
            moving = moment_in_steps("end", self.dynamics.end, total, per_epoch)
            self._settled_at = max(self._settled_at, moving)
            self._updates = Updates.every(self.frequency, begin, self._settled_at)
        if self._steps.done < self._settled_at:
            fit_state.unsettle(self, "Pruning", until=self._settled_at)
            warn_of_monitors(self, "Pruning", self._settled_at)
        else:
            fit_state.settle(self)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Choose new masks, if some are due, for the steps that are about to run."""
        # Chosen before the steps, the masks of step k hold when step k has been done: callbacks
        # before and after this one see the same.
        now = self._steps.upcoming(batch)
        if self._masks is not None and self._is_due(now):
            with nullcontext() if self._board is None else self._board.watching(now, self._masks):
                self._choose(now)
            self._updated = now
        if now >= self._settled_at:
            fit_state.settle(self)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the batch."""
        self._steps.end_batch(batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log the sparsity."""
        if self._masks is not None:
            self.sparsity = self._masks.sparsity()
        settled = self._steps.done >= self._settled_at
        if not self.keeps:  # its zeros were there before
            self._collapse.watch(logs or {}, self.sparsity, self._advice(), settled)
        if logs is not None:
            logs["sparsity"] = self.sparsity

    def on_train_end(self, logs: Any = None) -> None:
        """Apply the masks once more, take them off, and say if the schedule was cut short."""
        if self._masks is not None:
            # An average of the weights, or another callback's older copy, may have come in since.
            self._masks.hold()
            self.sparsity = self._masks.sparsity()
        self._steps.end(self.sparsity)
        if self.verbose:
            tell(f"Pruning: sparsity {self.sparsity:.4f} after {self.step} steps")
        self.release()

    # What the user may call.

    def release(self) -> None:
        """Take the masks off and give the user's own constraints back, as the end of `fit` does.

        Needed only after a `fit` that was broken off by an exception.
        """
        if self._masks is not None:
            self._left = self._kept()
            share = self._masks.sparsity()
            self._masks.take_off()
            self._masks = None
            variables = [target.variable for target in self.selection]
            remind(self.model, "Pruning", variables, share)
        if self._board is not None:
            self._board.close()

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data where they are."""
        return {name: as_plain(value) for name, value in self._arguments().items()}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a callback from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Schedule classes of your own, by name. Defaults to `None`.
        """
        return cls(**made_again(config, custom_objects))

    def get_state(self) -> dict[str, Any]:
        """Give the step and the masks as plain data: ints and Boolean arrays by variable path."""
        left = self._left if self._masks is None else self._kept()
        return {**self._steps.get_state(), "updated": self._updated, **left}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit`, or the one that runs, goes on from its step.

        Raises:
            TypeError: If it is no dict.
            ValueError: If it is not what `get_state` gives. When `fit` begins: if its masks do not
                fit the selected kernels.
        """
        self._resumed = checked_state(state)
        if self._masks is not None:
            self._take_up(self._resumed, self._masks)
            self._resumed = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        arguments = self._arguments()
        schedule = copy.deepcopy(arguments["schedule"], memo)
        return fresh_copy(self, {**arguments, "schedule": schedule}, memo)

    # How it is done.

    def _arguments(self) -> dict[str, Any]:
        return {
            "schedule": "keep" if self.keeps else self.schedule,
            "include": self.include,
            "exclude": self.exclude,
            "frequency": self.frequency,
            "criterion": self.criterion,
            "pattern": self.pattern,
            "scope": self.scope,
            "dynamics": self.dynamics or "gradual",
            "momentum": self.momentum,
            "data": self.data,
            "batches": self.batches,
            "log_dir": self.log_dir,
            "verbose": self.verbose,
        }

    def _advice(self) -> list[str]:
        """Give what to try where the model has collapsed."""
        advice = ["a lower sparsity", "more epochs of ramp (`end`)"]
        if isinstance(self.scope, PerLayer) and isinstance(self.pattern, Weight):
            advice.insert(0, '`scope="global"`')
        if any(is_depthwise(target) for target in self.selection):
            advice.insert(0, "`exclude=keras.layers.DepthwiseConv2D`")
        return advice

    def _kept(self) -> dict[str, Any]:
        assert self._masks is not None
        return {"masks": self._masks.to_arrays(), **self._choosing.get_state()}

    def _take_up(self, state: Mapping[str, Any], masks: Masks) -> None:
        self._known = 0.0
        masks.set(matching_masks(state, self.selection))
        self._steps.set_state(state)
        self._updated = state["updated"]
        self._choosing.set_state(state)

    def _is_due(self, now: int) -> bool:
        if self.keeps:
            return False
        if isinstance(self._steps.resolved, schedules.Foreign):
            # Each step is asked about once: the object may be slow, as tfmot's are.
            before, self._looked = max(self._updated, self._looked), now
            return self._steps.resolved.due(before, now)
        return self._updates.due(self._updated, now)

    def _choose(self, step: int) -> None:
        sparsity = self._steps.resolved(step)
        if not 0.0 <= sparsity < 1.0:
            raise bad_value("schedule", "a sparsity in [0, 1) at every step", self.schedule)
        share = min(1.0, sparsity / self._highest) if self._highest > 0.0 else 1.0
        moving = (self._steps.resolved.steps[0], self._settled_at)
        self._choosing.choose(step, sparsity, share, moving)
