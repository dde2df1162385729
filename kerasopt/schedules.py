"""A value over training: what a sparsity, a rate or a penalty should be after so many steps."""

import math
import numbers
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from kerasopt import _serialize
from kerasopt._checks import bad_type, bad_value, is_integer, number, positive

Moment = int | float | str

_WORDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(epochs?|steps?)\s*")
_FORMS = 'an int >= 0 (steps), a float in [0, 1] (fraction of the run) or a string as "3 epochs"'


def check_moment(argument: str, moment: Any) -> Moment:
    """Check a point in a run as the user gave it.

    Args:
        argument: Name of the user's argument.
        moment: Int >= 0, in steps; float in [0, 1], a fraction of the run; or `"3 epochs"`,
            `"500 steps"`.

    Returns:
        The same moment, as a plain int, float or string.

    Raises:
        TypeError: If it is of another type.
        ValueError: If it is negative, a fraction above 1, or a string of another form.
    """
    if isinstance(moment, str):
        if not _WORDS.fullmatch(moment):
            raise bad_value(argument, _FORMS, moment)
        return moment
    if isinstance(moment, bool) or not isinstance(moment, numbers.Real):
        raise bad_type(argument, _FORMS, moment)
    if is_integer(moment):
        if moment < 0:
            raise bad_value(argument, _FORMS, moment)
        return int(moment)  # type: ignore[call-overload, no-any-return]
    value = float(moment)
    if not 0.0 <= value <= 1.0:
        raise bad_value(argument, _FORMS, moment, "Write a number of steps as an int.")
    return value


def moment_in_steps(
    argument: str, moment: Moment, total_steps: int | None, steps_per_epoch: int | None
) -> int:
    """Turn a moment into a number of steps, rounded half to even.

    Args:
        argument: Name of the user's argument.
        moment: A moment that `check_moment` has passed.
        total_steps: Steps of the whole run, or `None` where that is unknown.
        steps_per_epoch: Steps of one epoch, or `None` where that is unknown.

    Returns:
        Steps since the beginning of the run; a fraction of 1.0 is `total_steps`.

    Raises:
        ValueError: If the run's length is needed and unknown.

    Example:
    >>> [moment_in_steps("end", m, 200, 20) for m in (7, 0.5, 1.0, "3 epochs", "9 steps")]
    [7, 100, 200, 60, 9]
    """
    if isinstance(moment, str):
        match = _WORDS.fullmatch(moment)
        assert match is not None
        number, unit = float(match[1]), match[2]
        if unit.startswith("step"):
            return round(number)
        length = steps_per_epoch
    elif isinstance(moment, float):
        number, length = moment, total_steps
    else:
        return moment
    if length is None:
        raise bad_value(
            argument,
            "an int number of steps, because the length of this run is unknown",
            moment,
            "The data has no length (a generator, or a dataset of unknown size): give steps, or "
            "pass `steps_per_epoch` to `fit`.",
        )
    return round(number * length)


def _unit(moment: Moment) -> str:
    """Give what a moment counts in: `"step"`, `"epoch"` or `"run"`."""
    if isinstance(moment, str):
        match = _WORDS.fullmatch(moment)
        assert match is not None
        return match[2].rstrip("s")
    return "run" if isinstance(moment, float) else "step"


def _amount(moment: Moment) -> float:
    """Give how many of its units a moment is."""
    if not isinstance(moment, str):
        return moment
    match = _WORDS.fullmatch(moment)
    assert match is not None
    return float(match[1])


class Schedule(ABC):
    """Base of all schedules: a pure function `step -> value` with a begin and an end.

    Derive from it, call `super().__init__(begin, end)`, and write `__call__`, `bounds` and
    `get_config`.

    Args:
        begin: When the value starts to act: int steps, float fraction of the run, `"3 epochs"`.
        end: When it has its last value, in the same forms; `None` for no end.
    """

    def __init__(self, begin: Moment, end: Moment | None):
        self.begin: Moment = check_moment("begin", begin)
        self.end: Moment | None = None if end is None else check_moment("end", end)
        if self.end == 1 and is_integer(self.end):
            warnings.warn(
                f"{type(self).__name__}: `end=1` is one step. Write `end=1.0` for the whole run.",
                stacklevel=3,
            )
        if self.end is not None and _unit(self.begin) == _unit(self.end):
            self._check_order(_amount(self.begin), _amount(self.end))

    def _check_order(self, begin: Any, end: Any) -> None:
        if begin > end:
            raise bad_value("begin", f"a moment not after end={self.end!r}", self.begin)

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Give the value after `step` steps (`resolve` first where moments are not in steps)."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Give the lowest and the highest value that the schedule can take."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a schedule from what `get_config` gave."""
        return cls(**config)

    @property
    def last(self) -> float:
        """The value at the end."""
        end = self.steps[1]
        return self(self.steps[0] if end is None else end)

    def resolve(self, total_steps: int | None, steps_per_epoch: int | None = None) -> Self:
        """Give the same schedule with `begin` and `end` in steps, now that the run is known.

        Args:
            total_steps: Steps of the whole run, or `None` where that is unknown.
            steps_per_epoch: Steps of an epoch, or `None` where that is unknown.

        Returns:
            A new schedule.

        Raises:
            ValueError: If a moment needs the run's length and that is unknown, or the begin
                comes after the end.
        """
        begin = moment_in_steps("begin", self.begin, total_steps, steps_per_epoch)
        end = None
        if self.end is not None:
            end = moment_in_steps("end", self.end, total_steps, steps_per_epoch)
            self._check_order(begin, end)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.from_config({**self.get_config(), "begin": begin, "end": end})

    @property
    def steps(self) -> tuple[int, int | None]:
        """The begin and the end in steps.

        Raises:
            ValueError: If they are fractions or epochs, and the schedule was not resolved.
        """
        if not is_integer(self.begin) or not (self.end is None or is_integer(self.end)):
            raise ValueError(
                f"{self!r} counts in fractions or epochs: call `resolve(total_steps, "
                "steps_per_epoch)` first, which the callbacks do when `fit` begins."
            )
        return self.begin, self.end  # type: ignore[return-value]

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and repr(other) == repr(self)

    def __hash__(self) -> int:
        return hash(repr(self))


class Constant(Schedule):
    """The same value throughout.

    Args:
        value: Float.
        begin: When it starts to act: int steps, float fraction of the run, or `"3 epochs"`.
            Defaults to `0`.
        end: When it stops being applied anew; `None` for never. Defaults to `None`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `value` is not finite, a moment is out of range, or begin is after end.

    Example:
    >>> Constant(0.5, begin=100)(250)
    0.5
    """

    def __init__(self, value: float, begin: Moment = 0, end: Moment | None = None):
        super().__init__(begin, end)
        self.value = number("value", value)

    def __call__(self, step: int) -> float:  # noqa: ARG002
        """Give the value."""
        return self.value

    def bounds(self) -> tuple[float, float]:
        """Give the value twice."""
        return self.value, self.value

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {"value": self.value, "begin": self.begin, "end": self.end}


class PolynomialDecay(Schedule):
    r"""From `initial` to `final` along a polynomial: fast at first, slower towards the end.

    s(t) = final + (initial - final) (1 - (t - begin) / (end - begin)) ** power

    With `power=3` this is the gradual pruning of Zhu & Gupta (2017), "To prune, or not to prune".
    Before `begin` the value is `initial`, after `end` it is `final`.

    | step | 100 | 102 | 105 | 110 |
    |---|---|---|---|---|
    | `PolynomialDecay(0.2, 0.8, begin=100, end=110)` | 0.2 | 0.4928 | 0.725 | 0.8 |

    Args:
        initial: Float, the value at `begin`.
        final: Float, the value at `end`.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        power: Float > 0. Defaults to `3`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or
            power is not positive.

    Example:
    >>> schedule = PolynomialDecay(0.2, 0.8, begin=100, end=110)
    >>> [round(schedule(step), 4) for step in (0, 100, 102, 105, 110, 500)]
    [0.2, 0.2, 0.4928, 0.725, 0.8, 0.8]
    >>> PolynomialDecay(0.0, 0.8, begin=0.1, end="3 epochs").resolve(200, steps_per_epoch=20)
    PolynomialDecay(initial=0.0, final=0.8, begin=20, end=60, power=3.0)
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        power: float = 3,
    ):
        if end is None:
            raise bad_type("end", _FORMS, end)
        super().__init__(begin, end)
        self.initial = number("initial", initial)
        self.final = number("final", final)
        self.power = number("power", power)
        if self.power <= 0:
            raise bad_value("power", "a float > 0", power)

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        begin, end = self.steps
        assert end is not None
        if step >= end:
            return self.final
        if step <= begin:
            return self.initial
        left = 1.0 - (step - begin) / (end - begin)
        return float(self.final + (self.initial - self.final) * left**self.power)

    def bounds(self) -> tuple[float, float]:
        """Give the lower and the higher of `initial` and `final`."""
        return min(self.initial, self.final), max(self.initial, self.final)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {
            "initial": self.initial,
            "final": self.final,
            "begin": self.begin,
            "end": self.end,
            "power": self.power,
        }


class Exponential(Schedule):
    r"""From `initial` to `final` along an exponential: fast at first, ever slower towards the end.

    s(t) = final + (initial - final) (exp(-decay u) - exp(-decay)) / (1 - exp(-decay)),
    with u = (t - begin) / (end - begin)

    Before `begin` the value is `initial`, after `end` it is `final`. As a dropout rate from 0 with
    `decay=10` this is the curriculum of Morerio et al. (2017, "Curriculum Dropout"), but for a part
    of 5e-5, by which theirs never quite arrives.

    | step | 0 | 10 | 50 | 100 |
    |---|---|---|---|---|
    | `Exponential(0.0, 0.5, begin=0, end=100)` | 0 | 0.3161 | 0.4967 | 0.5 |

    Args:
        initial: Float, the value at `begin`.
        final: Float, the value at `end`.
        begin: Int steps, float fraction of the run in [0, 1], or `"3 epochs"`. Defaults to `0`.
        end: In the same forms. Defaults to `1.0`, the end of the run.
        decay: Float > 0. How steep it begins; near 0 it is a straight line. Defaults to `10`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is not finite, a moment is out of range, begin is after end, or
            decay is not positive.

    Example:
    >>> schedule = Exponential(0.0, 0.5, begin=0, end=100)
    >>> [round(schedule(step), 4) for step in (0, 10, 50, 100, 200)]
    [0.0, 0.3161, 0.4967, 0.5, 0.5]
    """

    def __init__(
        self,
        initial: float,
        final: float,
        begin: Moment = 0,
        end: Moment = 1.0,
        decay: float = 10,
    ):
        if end is None:
            raise bad_type("end", _FORMS, end)
        super().__init__(begin, end)
        self.initial = number("initial", initial)
        self.final = number("final", final)
        self.decay = positive("decay", decay)

    def __call__(self, step: int) -> float:
        """Give the value after `step` steps."""
        begin, end = self.steps
        assert end is not None
        if step >= end:
            return self.final
        if step <= begin:
            return self.initial
        u = (step - begin) / (end - begin)
        # As a ratio of `expm1`s it keeps its digits where `decay` is small.
        left = math.expm1(-self.decay * (1.0 - u)) / math.expm1(-self.decay)
        return self.final + (self.initial - self.final) * math.exp(-self.decay * u) * left

    def bounds(self) -> tuple[float, float]:
        """Give the lower and the higher of `initial` and `final`."""
        return min(self.initial, self.final), max(self.initial, self.final)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal schedule, as plain data."""
        return {
            "initial": self.initial,
            "final": self.final,
            "begin": self.begin,
            "end": self.end,
            "decay": self.decay,
        }


_KINDS: dict[str, type[Schedule]] = {
    kind.__name__: kind for kind in (Constant, Exponential, PolynomialDecay)
}


def serialize(schedule: Schedule) -> dict[str, Any]:
    """Give a schedule as plain data: its class name and its configuration."""
    return _serialize.serialize(schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Schedule]] | None = None
) -> Schedule:
    """Make a schedule from what `serialize` gave.

    Args:
        config: Dict with `class_name` and `config`.
        custom_objects: Schedule classes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If `config` is no dict.
        ValueError: If the class is unknown.

    Example:
    >>> deserialize(serialize(Constant(0.5)))
    Constant(value=0.5, begin=0, end=None)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule: Schedule = _serialize.deserialize(config, _KINDS, custom_objects)
        return schedule
