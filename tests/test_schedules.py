"""Schedules are pure: values, moments, resolution, plain data."""

import json
import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt import schedules
from kerasopt.schedules import (
    Constant,
    Cosine,
    Cyclic,
    Exponential,
    Foreign,
    Linear,
    OneCycle,
    OneShot,
    PolynomialDecay,
    Schedule,
    Steps,
)


def test_the_values_that_tfmot_gives():
    schedule = PolynomialDecay(0.2, 0.8, begin=100, end=110, power=3)
    values = [schedule(step) for step in (100, 102, 105, 110)]
    assert values == pytest.approx([0.2, 0.4928, 0.725, 0.8], abs=1e-12)


@pytest.mark.parametrize(
    ("step", "value"), [(0, 0.2), (99, 0.2), (110, 0.8), (111, 0.8), (10**9, 0.8)]
)
def test_initial_before_begin_and_final_after_end(step, value):
    assert PolynomialDecay(0.2, 0.8, begin=100, end=110)(step) == value


@given(
    initial=st.floats(0, 0.99),
    final=st.floats(0, 0.99),
    begin=st.integers(0, 50),
    length=st.integers(0, 1000),
    power=st.floats(0.1, 9),
    steps=st.lists(st.integers(0, 2000), min_size=2),
)
def test_a_polynomial_is_monotonic_and_between_its_ends(
    initial, final, begin, length, power, steps
):
    schedule = PolynomialDecay(initial, final, begin, begin + max(length, 2), power)
    values = [schedule(step) for step in sorted(steps)]
    low, high = schedule.bounds()
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in values)
    sign = math.copysign(1, final - initial)
    assert all(sign * (b - a) >= -1e-12 for a, b in pairwise(values))
    assert schedule.last == final


@given(
    initial=st.floats(0, 0.99),
    final=st.floats(0, 0.99),
    begin=st.integers(0, 50),
    length=st.integers(2, 1000),
    decay=st.floats(1e-6, 700),
    steps=st.lists(st.integers(0, 2000), min_size=2),
)
def test_an_exponential_is_monotonic_and_between_its_ends(
    initial, final, begin, length, decay, steps
):
    schedule = Exponential(initial, final, begin, begin + length, decay)
    values = [schedule(step) for step in sorted(steps)]
    low, high = schedule.bounds()
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in values)
    sign = math.copysign(1, final - initial)
    assert all(sign * (b - a) >= -1e-12 for a, b in pairwise(values))
    assert schedule(begin) == initial
    assert schedule.last == final


@given(step=st.integers(0, 100), decay=st.floats(0.01, 50))
def test_an_exponential_is_its_formula(step, decay):
    expected = (math.exp(-decay * step / 100) - math.exp(-decay)) / (1 - math.exp(-decay))
    assert Exponential(1.0, 0.0, 0, 100, decay)(step) == pytest.approx(expected, abs=1e-12)


def test_a_slow_exponential_is_a_line():
    schedule = Exponential(0.0, 1.0, 0, 100, decay=1e-9)
    assert [schedule(step) for step in (25, 50, 75)] == pytest.approx([0.25, 0.5, 0.75])


def test_moments_resolve_against_the_run():
    schedule = PolynomialDecay(0, 0.8, begin=0.1, end="3 epochs")
    resolved = schedule.resolve(total_steps=200, steps_per_epoch=20)
    assert resolved.steps == (20, 60)
    assert schedule.begin == 0.1
    assert Constant(0.5, begin="1.5 epochs", end=1.0).resolve(100, 10).steps == (15, 100)
    assert Constant(0.5, begin=0.375).resolve(10).steps == (4, None)  # the nearest step
    assert Constant(0.5, begin="7 steps").resolve(None).steps == (7, None)
    assert Constant(0.5, begin=np.int64(7)).resolve(None).steps == (7, None)
    assert PolynomialDecay(0, 0.5, 0, np.float32(0.5)).resolve(10, 5).steps == (0, 5)


@pytest.mark.parametrize("moments", [{"begin": 0.1}, {"end": 1.0}, {"end": "3 epochs"}])
def test_an_unknown_length_asks_for_steps(moments):
    argument = next(iter(moments))
    schedule = Constant(0.5, **{"begin": 0, **moments})
    with pytest.raises(
        ValueError, match=f"`{argument}`.*length of this run is unknown.*give steps"
    ):
        schedule.resolve(None, None)


def test_an_unresolved_schedule_says_what_to_do():
    with pytest.raises(ValueError, match="call `resolve"):
        PolynomialDecay(0, 0.8, begin=0.0, end=1.0)(5)


def test_one_as_an_int_is_one_step_and_warned_about():
    with pytest.warns(UserWarning, match=r"`end=1` is one step. Write `end=1.0`"):
        schedule = PolynomialDecay(0, 0.8, begin=0, end=1)
    assert schedule(1) == 0.8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PolynomialDecay(0, 0.8, begin=0, end=1.0).resolve(1, 1)
        PolynomialDecay(0, 0.8, begin=1, end=2)
        schedules.deserialize(schedules.serialize(schedule))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"begin": -1}, ValueError, "`begin`.*Received: begin=-1"),
        ({"begin": 1.5}, ValueError, "`begin`.*Write a number of steps as an int"),
        ({"begin": 100.0}, ValueError, "`begin`"),
        ({"begin": "soon"}, ValueError, "`begin`.*'soon'"),
        ({"begin": None}, TypeError, "`begin`"),
        ({"begin": True}, TypeError, "`begin`"),
        ({"begin": float("nan")}, ValueError, "`begin`"),
        ({"begin": 20, "end": 10}, ValueError, "`begin`.*not after end=10"),
        ({"begin": "5 epochs", "end": "2 epoch"}, ValueError, "`begin`.*not after end='2 epoch'"),
        ({"begin": "9 steps", "end": 2}, ValueError, "`begin`.*not after end=2"),
        ({"begin": 0.9, "end": 0.1}, ValueError, "`begin`.*not after end=0.1"),
        ({"end": -2}, ValueError, "`end`"),
        ({"end": None}, TypeError, "`end`"),
        ({"initial": "0"}, TypeError, "`initial`.*Received: initial='0'"),
        ({"final": float("inf")}, ValueError, "`final`"),
        ({"power": 0}, ValueError, "`power`"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        PolynomialDecay(**{"initial": 0.0, "final": 0.8, "begin": 0, "end": 100, **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"decay": 0}, ValueError, "`decay`"),
        ({"decay": "10"}, TypeError, "`decay`"),
        ({"initial": None}, TypeError, "`initial`"),
        ({"final": float("nan")}, ValueError, "`final`"),
        ({"end": None}, TypeError, "`end`"),
    ],
)
def test_wrong_arguments_of_an_exponential(arguments, error, match):
    with pytest.raises(error, match=match):
        Exponential(**{"initial": 0.0, "final": 0.8, **arguments})


def test_begin_after_end_shows_when_the_run_is_known():
    schedule = PolynomialDecay(0, 0.8, begin=50, end=0.5)
    assert schedule.resolve(100, 10).steps == (50, 50)
    with pytest.raises(ValueError, match="`begin`"):
        schedule.resolve(90, 10)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(0.5, begin=0.25),
        PolynomialDecay(0.1, 0.9, "1 epochs", "2 epochs", 2),
        Exponential(0.1, 0.9, 10, 0.5, decay=3),
    ],
)
def test_plain_data_and_back(schedule):
    plain = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(plain)
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again != Constant(0.1)


def test_a_schedule_of_ones_own():
    class Half(Schedule):
        def __init__(self, begin=0, end=None):
            super().__init__(begin, end)

        def __call__(self, step):
            return 0.5

        def bounds(self):
            return 0.5, 0.5

        def get_config(self):
            return {"begin": self.begin, "end": self.end}

    plain = schedules.serialize(Half(end=0.5))
    assert schedules.deserialize(plain, {"Half": Half}).resolve(10).steps == (0, 5)
    with pytest.raises(ValueError, match="`class_name`.*'Half'"):
        schedules.deserialize(plain)


RAMPS = [
    Cosine(0.1, 0.8, 10, 110),
    Cyclic(0.1, 0.8, 10, 110, cycles=4),
    Exponential(0.1, 0.8, 10, 110),
    Linear(0.1, 0.8, 10, 110),
    OneCycle(0.1, 0.8, 10, 110),
    PolynomialDecay(0.1, 0.8, 10, 110),
]


@pytest.mark.parametrize("schedule", RAMPS, ids=lambda schedule: type(schedule).__name__)
def test_every_ramp_begins_and_ends_exactly(schedule):
    assert [schedule(step) for step in (0, 10, 110, 10**9)] == [0.1, 0.1, 0.8, 0.8]
    values = [schedule(step) for step in range(10, 111)]
    assert all(0.1 - 1e-12 <= value <= 0.8 + 1e-12 for value in values)
    if not isinstance(schedule, Cyclic):
        assert all(after >= before for before, after in pairwise(values))
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert again == schedule
    assert type(schedule)(0.1, 0.8, 0.1, "11 epochs").resolve(100, 10)(60) == pytest.approx(
        type(schedule)(0.1, 0.8, 10, 110)(60)
    )
    with pytest.raises(ValueError, match="`begin`"):
        type(schedule)(0.1, 0.8, 10, 5)
    with pytest.raises(TypeError, match="`final`"):
        type(schedule)(0.1, "0.8")


@given(u=st.integers(1, 99), initial=st.floats(-2, 2), final=st.floats(-2, 2))
def test_the_formulas(u, initial, final):
    share = u / 100

    def at(cls, **arguments):
        return cls(initial, final, 0, 100, **arguments)(u)

    def expected(done):
        return pytest.approx(initial + (final - initial) * done, abs=1e-9)

    assert at(Linear) == expected(share)
    assert at(Cosine) == expected((1 - math.cos(math.pi * share)) / 2)
    assert at(Cyclic, cycles=2) == expected((1 - math.cos(3 * math.pi * share)) / 2)
    one_cycle = (1 + math.exp(-14 + 5)) / (1 + math.exp(-14 * share + 5))
    assert at(OneCycle) == expected(one_cycle)
    assert at(PolynomialDecay, power=2) == expected(1 - (1 - share) ** 2)


def test_a_cycle_reaches_both_ends_so_often():
    values = [Cyclic(0.0, 0.5, 0, 1000, cycles=3)(step) for step in range(1001)]
    assert sum(value > 0.4999999 for value in values) == 3
    assert Cyclic(0.0, 0.5, 0, 100, cycles=1)(30) == Cosine(0.0, 0.5, 0, 100)(30)


def test_all_at_once():
    schedule = OneShot(0.8, at=0.25)
    resolved = schedule.resolve(100)
    assert [resolved(step) for step in (0, 24, 25, 100)] == [0.0, 0.0, 0.8, 0.8]
    assert resolved.steps == (25, 25)
    assert resolved.last == 0.8
    assert schedule.bounds() == (0.0, 0.8)
    assert schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule)))) == schedule


def test_a_list_of_values():
    schedule = Steps([(0.1, 0.5), ("5 epochs", 0.75), (80, 0.6)])
    assert schedule.bounds() == (0.0, 0.75)
    resolved = schedule.resolve(100, 10)
    assert [resolved(step) for step in (9, 10, 49, 50, 79, 80, 100)] == [
        0.0, 0.5, 0.5, 0.75, 0.75, 0.6, 0.6
    ]  # fmt: skip
    assert resolved.steps == (10, 80)
    assert resolved.last == 0.6
    assert Steps({10: 0.5}) == Steps([(10, 0.5)])
    assert schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule)))) == schedule
    with pytest.raises(ValueError, match="`values`.*in order"):
        schedule.resolve(1000, 10)  # a tenth is step 100 then, and comes after step 80
    with pytest.raises(ValueError, match=r"epochs.*call `resolve"):
        schedule(3)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([], ValueError),
        (0.5, TypeError),
        ("50", TypeError),
        ([(1, 2, 3)], TypeError),
        ([0.5], TypeError),
        ([(10, 0.5), (5, 0.6)], ValueError),
        ([(10, 0.5), (10, 0.6)], ValueError),
        ([(-1, 0.5)], ValueError),
        ([(1, float("nan"))], ValueError),
        ([(1, "0.5")], TypeError),
    ],
)
def test_a_wrong_list(values, error):
    with pytest.raises(error, match="`values`"):
        Steps(values)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: OneCycle(0.0, 0.5, alpha=0), "`alpha`"),
        (lambda: OneCycle(0.0, 0.5, beta=float("inf")), "`beta`"),
        (lambda: Cyclic(0.0, 0.5, cycles=0), "`cycles`"),
        (lambda: OneShot(float("nan")), "`value`"),
        (lambda: OneShot(0.5, at=-1), "`begin`|`at`"),
        (lambda: Linear(0.0, 0.5, end="soon"), "`end`"),
    ],
)
def test_wrong_arguments_of_the_others(make, match):
    with pytest.raises(ValueError, match=match):
        make()


class Theirs:
    """tfmot's PolynomialDecay, as its source has it."""

    def __init__(self, initial, final, begin_step, end_step, power=3, frequency=100):
        self.initial, self.final, self.power = initial, final, power
        self.begin_step, self.end_step, self.frequency = begin_step, end_step, frequency

    def __call__(self, step):
        inside = self.begin_step <= step and (self.end_step < 0 or step <= self.end_step)
        p = (step - self.begin_step) / (self.end_step - self.begin_step)
        p = min(1.0, max(0.0, p))
        value = (self.initial - self.final) * (1 - p) ** self.power + self.final
        return np.bool_(inside and (step - self.begin_step) % self.frequency == 0), np.float32(
            value
        )


def test_a_schedule_of_tfmot_is_accepted():
    schedule = Foreign(Theirs(0.2, 0.8, 100, 110, frequency=4))
    mine = PolynomialDecay(0.2, 0.8, begin=100, end=110)
    for step in (0, 100, 102, 105, 110, 500):
        assert schedule(step) == pytest.approx(mine(step), abs=1e-6)
    looks = [now for now in range(200) if schedule.due(now - 1, now)]
    assert looks == [100, 104, 108, 110]  # the last one is ours
    assert schedule.due(90, 99) is False
    assert schedule.due(90, 101) is True
    assert schedule.resolve(10) is schedule
    assert schedule.bounds() == pytest.approx((0.2, 0.8))
    assert Foreign(Theirs(0.5, 0.5, 0, -1)).steps == (0, None)


class Endless(Schedule):
    """A user's own, which rises to a step that it does not name."""

    def __init__(self, begin=0, until=300):
        super().__init__(begin, None)
        self.until = until

    def __call__(self, step):
        return 0.8 * min(max(step - self.begin, 0) / (self.until - self.begin), 1.0)

    def bounds(self):
        return 0.0, 0.8

    def get_config(self):
        return {"begin": self.begin, "until": self.until}


class Wave(Endless):
    """One that never stops changing."""

    def __call__(self, step):
        return 0.4 + 0.4 * math.sin(step / 7.0)


@pytest.mark.parametrize("total", [None, 300, 301, 5000])
@pytest.mark.parametrize("begin", [0, 37])
def test_a_schedule_without_an_end_settles_when_its_value_does(begin, total):
    mine = Endless(begin)
    theirs = Foreign(lambda step: (step % 10 == 0, np.float32(mine(step))))
    for schedule in (mine, theirs):
        settled = schedule.settles(total)
        assert settled == pytest.approx(300, abs=1)
        assert schedule(settled) == pytest.approx(0.8, abs=1e-3)
        assert schedule.last == pytest.approx(0.8, abs=1e-3)


def test_what_never_settles_and_what_does_at_once():
    assert Wave().settles(1000) == pytest.approx(1000, abs=10)
    assert Endless(0, 5000).settles(1000) == 1000  # of this run it sees no more
    assert Constant(0.5, begin=10).settles(1000) == Constant(0.5, begin=10).settles() == 10
    assert Foreign(Theirs(0.5, 0.5, 20, -1)).settles(1000) == 20
    assert PolynomialDecay(0.0, 0.5, 5, 50).settles() == 50
    for at in range(300, 316):
        assert Endless(0, at).settles(1000) == at
    with pytest.raises(ValueError, match="resolve"):
        Endless("1 epochs").settles(10)


@pytest.mark.parametrize("value", [0.5, "keep", dict, lambda step: step, lambda step: ("a", "b")])
def test_what_is_no_schedule_of_tfmot(value):
    with pytest.raises(TypeError, match="`schedule`"):
        Foreign(value)


def test_of_steps_that_fall_together_in_a_short_run_the_last_holds():
    schedule = Steps([(0.2, 0.3), (0.3, 0.5), (0.5, 0.8)]).resolve(3)
    assert [schedule(step) for step in range(4)] == [0.0, 0.5, 0.8, 0.8]
    assert Steps([(0.2, 0.3), (0.3, 0.5), (0.5, 0.8)]).resolve(1)(1) == 0.8
