"""Time budget: stop when the time is up."""

import datetime
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, is_real
from kerasopt.stopping.rules.rule import ALWAYS, Rule, Verdict, go_on

_FORMS = 'a number of seconds > 0, "HH:MM:SS" or a timedelta'
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)")


def in_seconds(budget: Any) -> float:
    """Turn a span of time as the user gave it into seconds.

    Raises:
        TypeError: If it is of another type.
        ValueError: If it is not positive, or a string of another form.

    Example:
    >>> in_seconds("01:30:00"), in_seconds(90)
    (5400.0, 90.0)
    """
    if isinstance(budget, str):
        match = _CLOCK.fullmatch(budget.strip())
        if match is None:
            raise bad_value("budget", _FORMS, budget)
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    elif isinstance(budget, datetime.timedelta):
        seconds = budget.total_seconds()
    elif is_real(budget):
        seconds = float(budget)
    elif isinstance(budget, float):
        raise bad_value("budget", _FORMS, budget)
    else:
        raise bad_type("budget", _FORMS, budget)
    if seconds <= 0.0:
        raise bad_value("budget", _FORMS, budget)
    return seconds


class TimeBudget(Rule):
    """Stop when the run has taken so much wall-clock time.

    Stop when the seconds since `reset`, together with those of an earlier run whose state was taken
    back, are at least the budget. It guards a run from the first step on; use it with `check=n` to
    stop within an epoch, otherwise it stops after the epoch in which the time was up. The time
    between a kill and the next start does not count.

    | seconds | 20 | 40 | 60 |
    |---|---|---|---|
    | `TimeBudget(60)` | | | stops |

    Args:
        budget: Seconds > 0, `"HH:MM:SS"`, or a `datetime.timedelta`.
        clock: Function that gives the seconds since some moment. Defaults to `time.monotonic`.

    Raises:
        TypeError: If `budget` is of the wrong type.
        ValueError: If it is not positive or cannot be read.

    Example:
    >>> seconds = iter([0, 20, 40, 60])  # instead of a clock
    >>> rule = TimeBudget("00:01:00", clock=lambda: next(seconds))
    >>> [rule.update(step, {}).stop for step in range(3)]
    [False, False, True]
    """

    moments = ALWAYS

    def __init__(
        self,
        budget: float | str | datetime.timedelta,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.budget = in_seconds(budget)
        if not callable(clock):
            raise bad_type("clock", "a function that gives seconds", clock)
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins now."""
        self._begun = self._clock()
        self._before = 0.0

    @property
    def elapsed(self) -> float:
        """The seconds used so far."""
        return self._before + self._clock() - self._begun

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Look at the clock and decide."""
        elapsed = self.elapsed
        if elapsed < self.budget:
            return go_on
        return self._stop(f"{elapsed:.1f} s have passed of a budget of {self.budget:g} s")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data; without the clock."""
        return {"budget": self.budget}

    def get_state(self) -> dict[str, Any]:
        """Give the seconds used so far."""
        return {"elapsed": self.elapsed}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave: so many seconds were used before now."""
        self._before = float(state["elapsed"])
        self._begun = self._clock()
