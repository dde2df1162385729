"""A number inside the compiled step that follows a schedule: the base of two callbacks."""

import copy
from collections.abc import Mapping
from typing import Any, Self

import keras

from kerasopt import _keras, schedules
from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.display import Named
from kerasopt._core.serialization import fresh_copy, kind_of
from kerasopt._fit_steps import Steps, is_state
from kerasopt.selection import check_picks


class Following(Named, keras.callbacks.Callback):
    """Base of callbacks that set, before each step, what a schedule gives for it.

    Derive from it and write `_begin` (find what is to be set, or raise) and `_apply`.
    Until the schedule begins nothing is set.

    Args:
        schedule: A checked schedule.
        include: Which layers.
        exclude: Which layers not.
    """

    # Keras may run `on_train_batch_end` late, in a thread of its own, and so spares every step a
    # wait for the device: it only notes the batch.
    async_safe = True

    _who = "the callback's public name"
    _what = "what it sets"
    _limits = (0.0, float("inf"))

    def __init__(self, schedule: schedules.Schedule, include: Any, exclude: Any):
        super().__init__()
        self.schedule = schedule
        check_picks("include", include)
        check_picks("exclude", exclude)
        self.include = include
        self.exclude = exclude
        self._resumed: dict[str, Any] | None = None
        self._is_on = False
        self._forget()

    def _forget(self) -> None:
        self._steps = Steps(self, self.schedule, self._who, self._what)
        self._value: float | None = None

    @property
    def step(self) -> int:
        """The number of steps done, counted from the schedule's 0."""
        return self._steps.done

    def _begin(self) -> None:
        raise NotImplementedError

    def _apply(self, value: float) -> None:
        raise NotImplementedError

    # What Keras calls.

    def on_train_begin(self, logs: Any = None) -> None:
        """Find what is to be set, and check the schedule against the run."""
        _keras.require_tensorflow(f"kerasopt.callbacks.{self._who}")
        self._forget()
        self._steps.check()
        self._begin()
        self._is_on = True
        if self._resumed is not None:
            self._take_up(self._resumed)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the step at which the run begins or goes on, and fit the schedule to the run."""
        if self._steps.begin_epoch(epoch):
            self._resumed = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set what the schedule gives for the end of the steps that are about to run."""
        if self._steps.beginning(batch) < self._steps.resolved.steps[0]:
            return
        value = float(self._steps.resolved(self._steps.upcoming(batch)))
        if value != self._value:
            low, high = self._limits
            if not low <= value < high:
                raise bad_value("schedule", f"a value in [{low}, {high}) at every step", value)
            self._apply(value)
            self._value = value

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the batch."""
        self._steps.end_batch(batch)

    def on_train_end(self, logs: Any = None) -> None:
        """End; a run too short for the schedule was told so when it began."""
        self._is_on = False

    def _log(self, logs: Any, name: str, value: float) -> str:
        """Note a value in the logs; the second callback of a kind has `<name>_1`. Give the name."""
        if logs is None:
            return name
        found, number = name, 0
        while found in logs:
            number += 1
            found = f"{name}_{number}"
        logs[found] = value
        return found

    # What the user may call.

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data where they are."""
        return {
            "schedule": schedules.serialize(self.schedule),
            "include": self.include,
            "exclude": self.exclude,
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
        if arguments["schedule"] is not None:
            arguments["schedule"] = schedules.deserialize(config["schedule"], custom_objects)
        return cls(**arguments)

    def get_state(self) -> dict[str, Any]:
        """Give the step and the value that is set, as plain data."""
        return {**self._steps.get_state(), "value": self._value}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take a state back: the next `fit`, or the one that runs, goes on from its step.

        Raises:
            TypeError: If it is no dict.
            ValueError: If it is not what `get_state` gives.
        """
        form = "what `get_state` gave: a dict with `step`, `in_epoch` and `value`"
        if not isinstance(state, Mapping):
            raise bad_type("state", form, state)
        if not (is_state(state) and "value" in state):
            raise bad_value("state", form, dict(state))
        self._resumed = dict(state)
        if self._is_on:
            self._take_up(self._resumed)

    def _take_up(self, state: Mapping[str, Any]) -> None:
        self._steps.set_state(state)
        if state["value"] is not None:
            self._value = float(state["value"])
            self._apply(self._value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        config = kind_of(self).get_config(self)
        if config["schedule"] is not None:
            config["schedule"] = copy.deepcopy(self.schedule, memo)
        return fresh_copy(self, config, memo)
