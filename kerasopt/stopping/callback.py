"""Early stopping inside `fit`: the callback that asks rules."""

import copy
import math
from collections.abc import Mapping
from typing import Any, Self

import keras

from kerasopt import _keras
from kerasopt._core import fit_state
from kerasopt._core.checks import at_least, bad_type, bad_value, flag, verbosity, word_or_count
from kerasopt._core.display import Named
from kerasopt._core.logs import number_of, scalar
from kerasopt._core.messages import tell
from kerasopt._core.serialization import fresh_copy
from kerasopt.stopping import arguments, watched_metrics
from kerasopt.stopping import arguments as telling
from kerasopt.stopping.attributes import KerasAttributes
from kerasopt.stopping.best_weights import BestWeights
from kerasopt.stopping.interrupt import GracefulInterrupt
from kerasopt.stopping.rules.patience import Patience
from kerasopt.stopping.rules.rule import Rule
from kerasopt.stopping.rules.serialization import deserialize, serialize

_STATE = {
    "rules",
    "rule",
    "best",
    "history",
    "best_weights",
    "steps",
    "epoch_start",
    "epoch",
    "seen",
} | {
    "stopped",
    "reason",
    "stopped_epoch",
}


class EarlyStopping(Named, KerasAttributes, keras.callbacks.Callback):
    """Stop training when a rule says so, and go back to the best epoch.

    Takes the place of `keras.callbacks.EarlyStopping` by changing the import, with the same
    arguments. What is different: a NaN is never the best; a metric that does not exist is an error
    after the first epoch; epochs without validation use up no patience; a baseline must be beaten
    within `patience` epochs; the best weights are restored by default, also after Ctrl-C; the state
    can be saved; and epochs in which a `kerasopt.callbacks.Pruning` of the same `fit` has not
    reached its final sparsity are not compared, because their weights are of another model.

    With `rules` any of the rules of `kerasopt.stopping` decides, or a combination of them. The best
    epoch is that of `monitor` all the same.

    Args:
        monitor: Name of the metric, or of an entry of one that is an array, such as
            `"val_f1_score[1]"`. Defaults to that of the first of the `rules` that names one, else
            to `"val_loss"`.
        min_delta: Float, the least change that counts as an improvement. Defaults to `0`.
        patience: Int >= 0, epochs without improvement before it stops. Defaults to `0`.
        verbose: `1` prints why training stopped and which epoch is restored. Defaults to `0`.
        mode: `"min"`, `"max"` or `"auto"`: from Keras's metric where that knows, else from the
            name. Defaults to `"auto"`.
        baseline: Float that must be beaten within `patience` epochs. Defaults to `None`.
        restore_best_weights: Whether the model gets the weights of its best epoch when training
            ends, for whatever reason it ends. Defaults to `True`.
        start_from_epoch: Int, the first epoch (from 0) that counts. `NonFinite`, `Divergence` and
            `TimeBudget` do not wait for it. Defaults to `0`.
        rules: A rule, or rules combined with `|` and `&`, in place of `patience`,
            `min_delta` and `baseline`.
            Defaults to `None`.
        check: `"epoch"`, or an int n: `NonFinite`, `Divergence`, `TimeBudget` and `Threshold` are
            asked every n steps as well, with the training metrics so far in the epoch. All others
            count in epochs. Defaults to `"epoch"`.
        keep_best: `"memory"` or, for large models, `"disk"`: where the best weights are kept, the
            latter in a temporary file. Defaults to `"memory"`.
        probe: `(x, y)`, the samples at which the gradients are computed that `GradientEvidence` and
            `GradientDisparity` need, once an epoch. Defaults to `None`.

    Attributes:
        stopped: Whether this callback stopped the run.
        reason: Which rule stopped it and why, in words; empty if none did.
        stopped_epoch: The epoch (from 0) at whose end it stopped; 0 if it did not.
        best_epoch: The epoch (from 0) of the best value; 0 before the first.
        best_value: The best value, `None` before the first. Also as `best`.
        best_weights: The weights of the best epoch, or `None`.
        wait: Epochs without improvement so far. This, the values of the best epoch, and `monitor`,
            `monitor_op`, `mode`, `patience`, `min_delta`, `baseline` may be set as well.
        history: The values of the monitored metric by epoch.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value. After the first epoch: if a metric does not
            exist or its direction is unknown.

    Example:
    >>> import keras, numpy as np
    >>> from kerasopt.stopping import Patience, TimeBudget
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> stopper = EarlyStopping(
    ...     monitor="loss", rules=Patience(2, min_delta=10.0) | TimeBudget("01:00:00"))
    >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=9, callbacks=[stopper], verbose=0)
    >>> len(history.epoch), stopper.best_epoch == len(history.epoch) - 1, stopper.stopped
    (3, True, True)
    """

    def __init__(
        self,
        monitor: str | None = None,
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
        rules: Rule | None = None,
        check: int | str = "epoch",
        keep_best: str = "memory",
        probe: Any = None,
    ):
        super().__init__()
        if monitor is not None and not isinstance(monitor, str):
            raise bad_type("monitor", "the name of a metric", monitor)
        # Checks `patience`, `min_delta`, `baseline` and `mode`, too.
        plain = Patience(patience, min_delta, baseline=baseline, monitor=monitor, mode=mode)
        self.rules = arguments.checked_rules(rules, plain)
        self.rule: Rule = plain if rules is None else rules
        self._mode = mode
        self._best = Patience(0, min_delta, monitor=monitor, mode=mode)
        self._named = monitor
        watched_metrics.name_defaults(self.rule, self._best, monitor)
        self.verbose = verbosity(verbose)
        self.restore_best_weights = flag("restore_best_weights", restore_best_weights)
        self.start_from_epoch = at_least("start_from_epoch", start_from_epoch, 0)
        self.check = word_or_count("check", check, "epoch", "steps")
        self._plain = plain
        self._weights = BestWeights(keep_best)
        self.probe = probe
        self._probe = arguments.checked_probe(probe, self.rule)
        self._interrupt = GracefulInterrupt()
        self._resumed = False
        self._forget()

    def _forget(self) -> None:
        self.rule.reset()
        self._best.reset()
        watched_metrics.forget_directions(self.rule, self._best, self.mode)
        self._weights.forget()
        self.stopped = False
        self.reason = ""
        self.stopped_epoch = 0
        self.history: dict[int, float] = {}
        self._seen: set[str] = set()
        self._steps = self._epoch_start = self._epoch = 0
        self._waited_for = ""

    @property
    def async_safe(self) -> bool:
        """Tell Keras that it may go on without waiting for the metrics of each step."""
        return self.check == "epoch"

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin anew, unless a state was just taken back."""
        if self._probe is not None:
            _keras.require_tensorflow("kerasopt.callbacks.EarlyStopping(probe=...)")
            self._probe.forget()
        taken = fit_state.claim(self, "rules", {id(one): repr(one) for one in self.rule.leaves()})
        if taken:
            raise bad_value("rules", "rules that no other callback of this fit has", taken)
        watched_metrics.name_defaults(self.rule, self._best, self._named)
        if not self._resumed:
            self._forget()
        self._resumed = False
        self.stopped = False
        self.reason = ""
        self.stopped_epoch = 0
        if self.check != "epoch" and (callbacks := _keras.callback_list()) is not None:
            _keras.run_in_step(callbacks)
        self._interrupt.install(self.model, lambda: fit_state.interrupt(self))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note where the epoch begins."""
        self._epoch = epoch
        self._epoch_start = self._steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ask the rules, if it is time for that within the epoch."""
        if not isinstance(self.check, int):
            return
        before, self._steps = self._steps, self._epoch_start + batch + 1
        if before // self.check == self._steps // self.check or self.stopped:
            return
        watched_metrics.learn_directions(self.rule, self._best, self.model, only=logs or {})
        early = self._epoch < self.start_from_epoch or fit_state.unsettled(self)
        verdict = self.rule.ask("early" if early else "step", self._steps, logs or {})
        if verdict.stop:
            self._end(self._epoch, f"{verdict.reason}, at step {self._steps}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ask the rules, keep the weights if they are the best, stop if a rule says so."""
        self._resumed = False
        reported = {} if logs is None else logs
        value = self.get_monitor_value(reported)
        logs = {**reported} if value is None else {**reported, self.monitor: value}
        watched_metrics.check_missing(self._watched(), logs, self._seen, self.model)
        watched_metrics.learn_directions(self.rule, self._best, self.model)
        if value is not None:
            self.history[epoch] = scalar(self.monitor, value)
        early = epoch < self.start_from_epoch
        if not early and (waiting := fit_state.unsettled(self)):
            early = True
            if not self._waited_for:
                self._say_what_it_waits_for(waiting)
        if not early:
            before = self._best.best
            self._best.update(epoch, logs)
            if self.restore_best_weights:
                if self._best.best != before:
                    self._weights.keep(self.model)
                elif value is not None and before is not None and not self._weights.kept:
                    # The user has set a value to be beaten: until that is done, these are the best.
                    self._weights.keep(self.model)
                    self._best.best_step = epoch
        if self._interrupt.requested and not self.stopped:
            self._end(epoch, "interrupted by Ctrl-C")
        if not self.stopped:
            gradients = {} if early else self._gradients()
            given = {**logs, **gradients}
            verdict = self.rule.ask("early" if early else "epoch", epoch, given)
            if verdict.stop:
                self._end(epoch, verdict.reason)
        self._log_gradients(reported, early)

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights, and say why training stopped."""
        self._resumed = False
        if self._best.best is None:
            if self.history or self.monitor in self._watched():
                telling.in_vain(
                    self.monitor, list(self.history), self.start_from_epoch, self._waited_for
                )
            elif self.verbose and self.restore_best_weights:
                tell(f"No {self.monitor} was reported: the weights are those of the last step.")
        if self.stopped and self.verbose:
            tell(f"Epoch {self.stopped_epoch + 1}: early stopping, {self.reason}")
        self.restore()

    # What the user may call, or write again in a subclass.

    def get_monitor_value(self, logs: Any) -> Any:
        """Give the value of an epoch that is compared, or `None` where there is none.

        A subclass may compute it of several metrics.
        """
        return number_of(logs or {}, self.monitor)

    def restore(self) -> None:
        """Give the model the weights of its best epoch; also after a `fit` that was broken off."""
        self._interrupt.remove()
        if self.restore_best_weights and self._weights.kept:
            if self.verbose:
                tell(f"Restoring the weights of epoch {self.best_epoch + 1}")
            self._weights.give_back(self.model)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data but for the probe."""
        return {
            "monitor": self._named,
            "min_delta": self._plain.min_delta,
            "patience": self._plain.patience,
            "verbose": self.verbose,
            "mode": self.mode,
            "baseline": self._plain.baseline,
            "restore_best_weights": self.restore_best_weights,
            "start_from_epoch": self.start_from_epoch,
            "rules": None if self.rules is None else serialize(self.rules),
            "check": self.check,
            "keep_best": self._weights.where,
            "probe": self.probe,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[Rule]] | None = None
    ) -> Self:
        """Make a callback from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Rule classes of your own, by name. Defaults to `None`.
        """
        given = dict(config)
        if given.get("rules") is not None:
            given["rules"] = deserialize(given["rules"], custom_objects)
        return cls(**given)

    def get_state(self) -> dict[str, Any]:
        """Give the rules' state, the values so far and the best weights, as plain data."""
        weights = self.best_weights
        return {
            "rules": self._kinds(),
            "rule": self.rule.get_state(),
            "best": self._best.get_state(),
            "history": {str(epoch): value for epoch, value in self.history.items()},
            # In memory they are overwritten by the next best.
            "best_weights": None if weights is None else [array.copy() for array in weights],
            "steps": self._steps,
            "epoch_start": self._epoch_start,
            "epoch": self._epoch,
            "seen": sorted(self._seen),
            "stopped": self.stopped,
            "reason": self.reason,
            "stopped_epoch": self.stopped_epoch,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit`, or the one that has just begun, goes on from there.

        Raises:
            TypeError: If it is no dict.
            ValueError: If it is not what `get_state` gives.
        """
        form = "what `get_state` gave: a dict with `rule`, `best`, `history` and more"
        if not isinstance(state, Mapping):
            raise bad_type("state", form, state)
        if not set(state) >= _STATE:
            raise bad_value("state", form, sorted(state))
        if list(state["rules"]) != self._kinds():
            raise bad_value(
                "state",
                f"the state of the rules {self._kinds()}",
                list(state["rules"]),
                "Give the state to a callback with the same rules and metrics.",
            )
        self._forget()
        self.rule.set_state(state["rule"])
        self._best.set_state(state["best"])
        self.history = {int(epoch): value for epoch, value in state["history"].items()}
        self._weights.set(state["best_weights"])
        self._steps, self._epoch_start = state["steps"], state["epoch_start"]
        self._epoch = state["epoch"]
        self._seen = set(state["seen"])
        self.stopped, self.reason = state["stopped"], state["reason"]
        self.stopped_epoch = state["stopped_epoch"]
        self._resumed = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        config = EarlyStopping.get_config(self)
        return fresh_copy(self, {**config, "rules": copy.deepcopy(self.rules, memo)}, memo)

    # How it is done.

    def _end(self, epoch: int, reason: str) -> None:
        self.stopped, self.stopped_epoch, self.reason = True, epoch, reason
        self.model.stop_training = True

    def _kinds(self) -> list[str]:
        """Give what the rules are, as far as a state depends on it."""
        return [f"{type(one).__name__}({', '.join(one.watched)})" for one in self.rule.leaves()]

    def _watched(self) -> tuple[str, ...]:
        named = () if self._named is None else (self._named,)
        return tuple(dict.fromkeys((*self.rule.watched, *named)))

    def _gradients(self) -> dict[str, Any]:
        if self._probe is None:
            return {}
        needs = {leaf.needs for leaf in self.rule.leaves() if leaf.needs}
        return self._probe.look(self.model, needs)

    def _log_gradients(self, logs: Any, early: bool) -> None:
        for leaf in self.rule.leaves():
            if leaf.needs:
                # One value an epoch, so that the curves of a history belong together.
                value = None if early else getattr(leaf, "value", None)
                name = getattr(leaf, "name", type(leaf).__name__)
                logs[name] = math.nan if value is None else value

    def _say_what_it_waits_for(self, waiting: list[tuple[str, int | None]]) -> None:
        patience = max((getattr(leaf, "patience", 0) for leaf in self.rule.leaves()), default=0)
        self._waited_for = telling.waited_for(waiting)
        telling.too_few_epochs_left(waiting, *fit_state.length(self), patience)
