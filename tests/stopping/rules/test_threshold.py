"""Threshold: reached is enough."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import Threshold
from tests.conftest import examples
from tests.stopping.rules.sequences import stops


@pytest.mark.parametrize(
    ("value", "values", "step"),
    [
        (0.5, [1.0, 0.6, 0.5], 2),
        (0.5, [1.0, 0.6, math.nextafter(0.5, 1)], None),
        (0.5, [0.4, 0.3], 0),
        (0.0, [0.1, 0.0], 1),
        (0.0, [0.1, -0.0], 1),
        (-1.0, [0.0, -0.9, -1.1], 2),
        (0.5, [math.nan, -math.inf, math.inf, 0.5], 3),
    ],
)
def test_sequences(value, values, step):
    assert stops(Threshold(value), values) == step
    higher = Threshold(-value, monitor="score", mode="max")
    assert stops(higher, [-one for one in values]) == step


def test_higher_is_better_by_the_name():
    assert stops(Threshold(0.95, monitor="val_accuracy"), [0.90, 0.94, 0.95]) == 2
    assert stops(Threshold(1, monitor="val_accuracy"), [0.90, 0.99]) is None


def test_it_asks_for_this_value_not_for_the_best():
    rule = Threshold(0.5)
    assert [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([0.5, 0.6])] == [True, False]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=10), st.floats(-5, 5))
@examples(50)
def test_first_value_at_or_below(values, goal):
    expected = next((step for step, value in enumerate(values) if value <= goal), None)
    assert stops(Threshold(goal), values) == expected


def test_an_unknown_direction_asks_for_mode():
    with pytest.raises(ValueError, match="Pass `mode="):
        Threshold(1.0, monitor="my_score").update(0, {"my_score": 1.0})


def test_the_reason_says_what_was_reached():
    verdict = Threshold(0.95, monitor="val_accuracy").update(0, {"val_accuracy": 0.96})
    assert verdict.reason == "Threshold: val_accuracy is 0.96 and has reached 0.95"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"value": math.nan}, ValueError),
        ({"value": math.inf}, ValueError),
        ({"value": "1"}, TypeError),
        ({"value": None}, TypeError),
        ({"monitor": 1, "value": 1.0}, TypeError),
        ({"mode": "up", "value": 1.0}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Threshold(**arguments)
