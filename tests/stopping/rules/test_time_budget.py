"""Time budget, with a clock that the test moves."""

import datetime
import json
import math

import numpy as np
import pytest

from kerasopt.stopping import TimeBudget, deserialize, serialize


class Clock:
    """Gives the seconds that the test sets."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        (90, 90.0),
        (0.5, 0.5),
        (np.float32(2.5), 2.5),
        (np.int64(3), 3.0),
        ("00:01:00", 60.0),
        ("01:30:00", 5400.0),
        (" 1:2:3 ", 3723.0),
        ("100:00:00", 360000.0),
        ("00:00:00.25", 0.25),
        ("00:59:59", 3599.0),
        (datetime.timedelta(hours=2, minutes=3, seconds=4), 7384.0),
        (datetime.timedelta(milliseconds=500), 0.5),
        (datetime.timedelta(days=1), 86400.0),
    ],
)
def test_forms(budget, seconds):
    assert TimeBudget(budget).budget == seconds


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        (0, ValueError),
        (-1.0, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        ("00:00:00", ValueError),
        ("-01:00:00", ValueError),
        ("01:60:00", ValueError),
        ("01:00:60", ValueError),
        ("01:00", ValueError),
        ("1h", ValueError),
        ("", ValueError),
        (datetime.timedelta(0), ValueError),
        (datetime.timedelta(seconds=-5), ValueError),
        (None, TypeError),
        (True, TypeError),
        ([60], TypeError),
    ],
)
def test_wrong_budgets(budget, error):
    with pytest.raises(error, match='`budget`.*"HH:MM:SS"'):
        TimeBudget(budget)


def test_a_wrong_clock():
    with pytest.raises(TypeError, match="`clock`"):
        TimeBudget(60, clock=3)


def test_at_the_budget_it_stops():
    clock = Clock()
    rule = TimeBudget(60, clock)
    stops = []
    for clock.now in (1000.0, 1059.0, 1060.0, 1061.0):
        stops.append(rule.update(0, {}).stop)
    assert stops == [False, False, True, True]
    assert rule.elapsed == 61.0


def test_the_time_before_reset_does_not_count():
    clock = Clock()
    rule = TimeBudget(60, clock)
    clock.now = 1100.0
    rule.reset()
    assert not rule.update(0, {}).stop
    clock.now = 1160.0
    assert rule.update(1, {}).stop


def test_a_resumed_run_has_the_rest():
    first = Clock()
    rule = TimeBudget(60, first)
    first.now = 1040.0
    state = json.loads(json.dumps(rule.get_state()))
    assert state == {"elapsed": 40.0}
    # Another process, whose clock began elsewhere; the time between the two does not count.
    second = Clock(5.0)
    other = TimeBudget(60, second)
    second.now = 10.0
    other.set_state(state)
    assert other.elapsed == 40.0
    second.now = 29.5
    assert not other.update(0, {}).stop
    second.now = 30.0
    assert other.update(1, {}).stop
    # Twice resumed.
    third = TimeBudget(60, Clock())
    third.set_state(other.get_state())
    assert third.update(0, {}).stop
    third.reset()
    assert third.elapsed == 0.0


def test_looking_does_not_use_up_time():
    clock = Clock()
    rule = TimeBudget(60, clock)
    clock.now = 1030.0
    assert [rule.get_state()["elapsed"] for _ in range(3)] == [30.0] * 3
    rule.set_state(rule.get_state())
    assert rule.elapsed == 30.0


def test_the_reason_says_how_long():
    clock = Clock()
    rule = TimeBudget("00:01:00", clock)
    clock.now = 1061.5
    assert rule.update(0, {}).reason == "TimeBudget: 61.5 s have passed of a budget of 60 s"


def test_config_is_plain_data():
    rule = TimeBudget(datetime.timedelta(minutes=2))
    again = deserialize(json.loads(json.dumps(serialize(rule))))
    assert again.budget == 120.0
    assert repr(again) == "TimeBudget(budget=120.0)"
