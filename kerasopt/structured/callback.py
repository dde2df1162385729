"""Masking channels inside `fit`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import at_least, bad_value, one_of, verbosity, warn, word_or_count
from kerasopt._core.display import Named
from kerasopt._core.messages import tell
from kerasopt._core.serialization import fresh_copy
from kerasopt._fit_steps import Steps
from kerasopt.pruning.collapse import Collapse
from kerasopt.pruning.enforcement.mask_updates import Updates
from kerasopt.pruning.enforcement.reminder import forget, remind
from kerasopt.pruning.monitors import warn_of_monitors
from kerasopt.pruning.pruning_arguments import as_plain, checked_schedule, made_again
from kerasopt.selection import check_picks, reasons
from kerasopt.structured.budget.allocation import SCOPES, Choice, unit_of
from kerasopt.structured.budget.candidates import FROZEN, candidates, inner_model, trainable
from kerasopt.structured.importance.channel_scores import scores_of
from kerasopt.structured.importance.importance import IMPORTANCES
from kerasopt.structured.surgery.channel_masks import ChannelMasks, matching

_ADVICE = ("fewer channels", "more epochs of ramp (`end`)", "`importance='taylor'` with `data`")


class ChannelPruning(Named, keras.callbacks.Callback):
    """Mask whole channels, more and more of them, while the model trains; then `shrink` them away.

    A masked channel has zeros in all that makes, scales and takes it, after every step: what stays
    is trained as if it was gone. After `fit`, `kerasopt.shrink(model, pruning_ratio="masked")`
    removes the masked channels and gives the same outputs. A channel that is masked stays so.

    `fit`'s history, and the callbacks after this one, get `channel_sparsity`: the share of all the
    model's channels that are masked, those of layers that are left alone and could lose some
    counted as well. Layers with frozen kernels are left alone, with a warning; a frozen
    normalization hinders nothing.

    Args:
        schedule: A `kerasopt.schedules.Schedule` of fractions in [0, 1) of the channels, or a
            float: the last one, reached along `PolynomialDecay(0.0, schedule, begin=0, end=0.75)`.
        importance: As in `shrink`. Defaults to `"l2"`.
        scope: `"global"` or `"layer"`, as in `shrink`. Defaults to `"global"`.
        data: What `"taylor"`, `"activation"` and `"apoz"` are computed of. Defaults to `None`.
        batches: How many batches of it at each choice. Defaults to `8`.
        round_to: As in `shrink`. Defaults to `8`.
        include: Which layers may lose channels, as in `shrink`. Defaults to `None`: all.
        exclude: Which may not. Defaults to `None`.
        frequency: Steps between two choices, or `"auto"`, as in `Pruning`. Defaults to `"auto"`.
        seed: Of `"random"`. Defaults to `0`.
        verbose: `1` prints which layers are left alone and why, and the share reached when training
            ends. Defaults to `0`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a fraction is outside [0, 1). When `fit` begins: if the model has no graph,
            no channel can go, or another callback masks the same kernels.
        RuntimeError: When `fit` begins, if Keras does not run on TensorFlow.

    Example:
    >>> import numpy as np
    >>> from kerasopt.structured import shrink
    >>> model = keras.Sequential([
    ...     keras.Input((4,)),
    ...     keras.layers.Dense(32, activation="sigmoid", name="hidden"),
    ...     keras.layers.Dense(1),
    ... ])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((64, 4)), np.ones((64, 1))
    >>> _ = model.fit(x, y, epochs=4, verbose=0, callbacks=[ChannelPruning(0.5)])
    >>> shrink(model, pruning_ratio="masked").get_layer("hidden").units
    16
    """

    def __init__(
        self,
        schedule: Any,
        *,
        importance: Any = "l2",
        scope: str = "global",
        data: Any = None,
        batches: int = 8,
        round_to: int = 8,
        include: Any = None,
        exclude: Any = None,
        frequency: int | str = "auto",
        seed: int | None = 0,
        verbose: int = 0,
    ):
        super().__init__()
        self.schedule = checked_schedule(schedule)
        check_picks("include", include)
        check_picks("exclude", exclude)
        self.include, self.exclude = include, exclude
        self.frequency = word_or_count("frequency", frequency, "auto", "steps")
        self.importance = IMPORTANCES.serialize(importance)
        self.scope = one_of("scope", scope, SCOPES)
        self.round_to = at_least("round_to", round_to, 1)
        self.data = data
        self.batches = at_least("batches", batches, 1)
        self.seed = seed
        self.verbose = verbosity(verbose)
        self.channel_sparsity = 0.0
        self._masks: ChannelMasks | None = None
        self._collapse = Collapse("ChannelPruning", self)
        self._left: dict[str, Any] = {"gone": {}}
        self._resumed: Mapping[str, Any] | None = None
        self._steps = Steps(self, self.schedule, "ChannelPruning", "the share of channels")
        self._updated = -1
        self._known = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the channels, and put masks of ones on them."""
        _keras.require_tensorflow("kerasopt.callbacks.ChannelPruning")
        self.release()
        self._steps = Steps(self, self.schedule, "ChannelPruning", "the share of channels")
        self._updated = -1
        self._steps.check()
        found = candidates(inner_model(self.model), self.include, self.exclude)
        self._found = trainable(found)
        masks = ChannelMasks(self.model, self._found.groups, self._found.whole)
        try:
            self._claim(masks)
            scores_of(*self._how())  # what does not fit is said before training
            # Zeros of another kind fill, which what reminds of them says from under the masks.
            self._known = forget(masks.variables, "ChannelPruning")
            if self._resumed is not None:
                self._take_up(self._resumed, masks)
        except BaseException:
            masks.take_off()
            self._resumed = None
            raise
        self._masks = masks
        self._collapse = Collapse("ChannelPruning", self)
        frozen = [name for name, why in self._found.left_out.items() if why.startswith(FROZEN)]
        if frozen:
            warn(
                f"ChannelPruning: {', '.join(frozen)} keep all channels, as weights of them, or of "
                "what is tied to them, are frozen."
            )
        if self.verbose:
            left = f"; left alone: {reasons(self._found.left_out)}" * bool(self._found.left_out)
            tell(f"ChannelPruning: {len(self._found.groups)} groups{left}")
        fit_state.unsettle(self, "ChannelPruning")

    def _claim(self, masks: ChannelMasks) -> None:
        taken = fit_state.claim(self, "masked", {id(one): one.path for one in masks.variables})
        if taken:
            raise bad_value(
                "include",
                "layers that no other pruning of this fit has",
                self.include,
                f"Selected twice: {taken}.",
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the step at which the run begins or goes on, and fit the schedule to the run."""
        if not self._steps.begin_epoch(epoch):
            return
        self._resumed = None
        self._say_what_trains_again()
        begin, end = self._steps.resolved.steps
        total = self._steps.total
        last = end if end is None or total is None else min(end, max(begin, total))
        self._updates = replace(Updates.every(self.frequency, begin, end), end=last)
        if self._steps.done < self._steps.settled_at:
            fit_state.unsettle(self, "ChannelPruning", until=self._steps.settled_at)
            warn_of_monitors(self, "ChannelPruning", self._steps.settled_at)
        else:
            fit_state.settle(self)

    def _say_what_trains_again(self) -> None:
        begins = self._steps.resolved(self._steps.done)
        if self._known > begins + 0.01:
            warn(
                f"ChannelPruning: {self._known:.1%} of the channels are zeros of an earlier one, "
                f"and this schedule begins at {begins:.3g}: they train again. Remove them with "
                "`shrink(model, 'masked')` first, or begin where it ended, as "
                f"`PolynomialDecay({self._known:.3g}, ...)`."
            )

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Mask more channels, if that is due, for the steps that are about to run."""
        now = self._steps.upcoming(batch)
        if self._masks is not None and self._updates.due(self._updated, now):
            self._masks.set(self._chosen(self._masks, now))
            self._updated = now
        if now >= self._steps.settled_at:
            fit_state.settle(self)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the batch."""
        self._steps.end_batch(batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log the share of channels that are masked."""
        if self._masks is not None:
            self.channel_sparsity = self._masks.share
        settled = self._steps.done >= self._steps.settled_at
        self._collapse.watch(logs or {}, self.channel_sparsity, _ADVICE, settled)
        if logs is not None:
            logs["channel_sparsity"] = self.channel_sparsity

    def on_train_end(self, logs: Any = None) -> None:
        """Apply the masks once more, take them off, and say if the schedule was cut short."""
        if self._masks is not None:
            self._masks.hold()
            self.channel_sparsity = self._masks.share
            self._say_what_stays(self._masks.reached)
        self._steps.end(self.channel_sparsity)
        if self.verbose:
            share, step = self.channel_sparsity, self._steps.done
            tell(f"ChannelPruning: {share:.4f} of the channels after {step} steps")
        self.release()

    def _say_what_stays(self, reached: float) -> None:
        done = self._steps.done
        if not 0 < self._steps.settled_at <= done:
            return
        asked = self._steps.resolved(done)
        if reached < asked - 0.05:
            warn(
                f"ChannelPruning: {reached:.3f} of the channels are masked instead of {asked:.3g}: "
                f"of each layer at least round_to={self.round_to} stay, or all where it has no "
                "more. A smaller `round_to` leaves fewer."
            )

    def release(self) -> None:
        """Take the masks off; needed only after a `fit` that was broken off by an exception."""
        if self._masks is not None:
            self._left = self._kept()
            kernels = [one for one in self._masks.variables if len(one.shape) > 1]
            share = self._masks.share
            self._masks.take_off()
            self._masks = None
            remind(self.model, "ChannelPruning", kernels, share, "channels of zeros")

    def _how(self) -> tuple[Any, ...]:
        found = self._found
        return self.importance, found.trace, found.groups, self.data, self.batches, self.seed

    def _chosen(self, masks: ChannelMasks, step: int) -> list[NDArray[np.bool_]]:
        groups = self._found.groups
        scores = scores_of(*self._how())
        units = [unit_of(self.round_to, one.grain, one.is_heads) for one in groups]
        known = [
            np.ones(len(one)) if score is None else score
            for one, score in zip(groups, scores, strict=True)
        ]
        choice = Choice(known, [one.grain for one in groups], units, masks.gone)
        ratio = self._steps.resolved(step)
        counts = choice.everywhere(ratio) if self.scope == "global" else choice.layer(ratio)
        unscored = [score is None for score in scores]
        counts = np.where(unscored, 0, counts)
        before = [int(mask.sum()) for mask in masks.gone]
        return choice.gone(np.maximum(counts, before))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data where they are."""
        names = (
            "schedule", "include", "exclude", "frequency", "importance", "scope", "round_to",
            "data", "batches", "seed", "verbose",
        )  # fmt: skip
        return {name: as_plain(getattr(self, name)) for name in names}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a callback from what `get_config` gave."""
        return cls(**made_again(config, custom_objects))

    def get_state(self) -> dict[str, Any]:
        """Give the step and the masked channels as plain data, by the layers that make them."""
        left = self._left if self._masks is None else self._kept()
        return {**self._steps.get_state(), "updated": self._updated, **left}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit`, or the one that runs, goes on from its step.

        Raises:
            ValueError: If it is not what `get_state` gives, or of another model.
        """
        if not isinstance(state, Mapping) or not {"step", "updated", "gone"} <= set(state):
            raise bad_value("state", "what `get_state` gave", state)
        self._resumed = dict(state)
        if self._masks is not None:
            self._take_up(self._resumed, self._masks)
            self._resumed = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return fresh_copy(self, self._given(), memo)

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ChannelPruning.get_config(self)}

    def _kept(self) -> dict[str, Any]:
        assert self._masks is not None
        pairs = zip(self._found.groups, self._masks.gone, strict=True)
        return {"gone": {group.name: mask.copy() for group, mask in pairs}}

    def _take_up(self, state: Mapping[str, Any], masks: ChannelMasks) -> None:
        self._known = 0.0
        groups = self._found.groups
        masks.set(matching(state["gone"], groups) if state["gone"] else masks.gone)
        self._steps.set_state(state)
        self._updated = state["updated"]
