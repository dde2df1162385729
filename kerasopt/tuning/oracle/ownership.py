"""Trials that this process runs, and how others know that it does."""

import gc
import time
import uuid
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna

from kerasopt.tuning.oracle import heartbeat
from kerasopt.tuning.storage.records import BEAT, OWNER

# Who of this process runs which trial: one that nobody runs any more has been left.
_HERE: "weakref.WeakValueDictionary[str, Any]" = weakref.WeakValueDictionary()


@dataclass
class Running:
    """A trial that this process runs.

    Attributes:
        asked: Optuna's.
        shown: KerasTuner's.
        token: By which others know that it is still run here.
        heart: Its signs of life, where others can see them.
        measured: By metric, the best value that was reported and the epoch it is of.
    """

    asked: optuna.Trial
    shown: Any
    token: str
    heart: heartbeat.Heartbeat | None
    measured: dict[str, tuple[float, int]] = field(default_factory=dict)

    def measure(
        self, metrics: Mapping[str, float], step: int, directions: Mapping[str, str]
    ) -> None:
        """Note metrics; of several values of one the best stays."""
        for name, given in metrics.items():
            value, before = float(given), self.measured.get(name)
            sign = -1.0 if directions.get(name) == "max" else 1.0
            if before is None or not sign * before[0] <= sign * value:
                self.measured[name] = (value, int(step))


def claim(trial: optuna.Trial, oracle: Any) -> str:
    """Write down that an oracle of this process runs a trial, and give the token of that."""
    token = uuid.uuid4().hex
    _HERE[token] = oracle
    trial.set_user_attr(OWNER, {**heartbeat.owner(), "run": token})
    return token


def let_go(token: str) -> None:
    """Forget that a trial is run here."""
    _HERE.pop(token, None)


def is_left(owner: Mapping[str, Any]) -> bool:
    """Tell whether a trial is one that nobody runs any more, as far as this process can know."""
    if heartbeat.has_ended(dict(owner)):
        return True
    me = heartbeat.owner()
    if any(owner.get(key) != me[key] for key in ("machine", "pid", "begun")):
        return False
    if owner["run"] in _HERE:
        gc.collect()  # an oracle of an earlier search may only wait for this
    return owner["run"] not in _HERE


def beating(oracle: Any, name: str, seconds: float) -> heartbeat.Heartbeat:
    """Let a trial show signs of life as long as its oracle runs it.

    Args:
        oracle: The oracle; one that nobody uses any more does not live by this.
        name: The trial's.
        seconds: From one to the next.
    """
    reference = weakref.ref(oracle)

    def beat(number: int) -> bool:
        living = reference()
        if living is None or name not in living._mine:
            return False
        try:
            living._mine[name].asked.set_user_attr(BEAT, [number, time.time()])
        except Exception:
            living.watch.forget()  # others cannot give signs of life either
            raise
        return True

    return heartbeat.Heartbeat(beat, seconds)
