"""Divergence, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import Divergence
from tests.conftest import examples
from tests.stopping.rules.sequences import stops


@pytest.mark.parametrize(
    ("value", "values", "step"),
    [
        (10.0, [1.0, 10.0, 10.1], 2),
        (10.0, [11.0], 0),
        (0.0, [-1.0, 0.0, 0.1], 2),
        (-1.0, [-2.0, -1.0, -0.9], 2),
        (10.0, [1.0, math.nan], 1),
        (10.0, [1.0, math.inf], 1),
        (10.0, [1.0, -math.inf], 1),
        (10.0, [math.nan], 0),
    ],
)
def test_a_value(value, values, step):
    assert stops(Divergence(value), values) == step
    higher = Divergence(-value, monitor="score", mode="max")
    assert stops(higher, [-one for one in values]) == step


@pytest.mark.parametrize(
    ("mode", "factor", "values", "step"),
    [
        ("min", 3, [1.0, 0.5, 1.6], 2),
        ("min", 3, [1.0, 0.5, 1.5], None),
        ("min", 2, [-1.0, -0.5], None),
        ("min", 2, [-1.0, -0.49], 1),
        ("min", 2, [-1.0, 0.5], 1),
        ("min", 1.5, [5.0], None),
        ("max", 2, [0.5, 1.0, 0.5], None),
        ("max", 2, [0.5, 1.0, 0.49], 2),
        ("max", 2, [-1.0, -2.0], None),
        ("max", 2, [-1.0, -2.1], 1),
        ("max", 2, [1.0, -0.5], 1),
        ("min", 3, [1.0, math.nan], 1),
        ("max", 3, [1.0, math.inf], 1),
    ],
)
def test_a_factor(mode, factor, values, step):
    assert stops(Divergence(factor=factor, monitor="x", mode=mode), values) == step


@pytest.mark.parametrize("mode", ["min", "max"])
def test_no_factor_of_a_best_of_zero_is_crossed(mode):
    sign = 1 if mode == "min" else -1
    rule = Divergence(factor=2, monitor="x", mode=mode)
    assert stops(rule, [sign * one for one in (1.0, 0.0, 5.0)]) is None
    assert stops(rule, [0.0, math.nan]) == 1


@given(st.lists(st.floats(0.01, 10.0), min_size=1, max_size=12), st.sampled_from([1.5, 2.0, 4.0]))
@examples(100)
def test_formula_for_positive_losses(values, factor):
    expected = next(
        (t for t in range(len(values)) if values[t] > factor * min(values[: t + 1])), None
    )
    assert stops(Divergence(factor=factor), values) == expected


def test_what_has_diverged_is_never_the_best():
    rule = Divergence(10.0)
    for step, value in enumerate([2.0, -math.inf, math.nan]):
        rule.update(step, {"val_loss": value})
    assert (rule.best, rule.best_step) == (2.0, 0)


def test_the_reason_says_what_was_crossed():
    assert Divergence(2, monitor="loss").update(0, {"loss": 3.0}).reason == (
        "Divergence: loss is 3, worse than 2"
    )
    rule = Divergence(factor=3, monitor="loss")
    rule.update(0, {"loss": 0.5})
    assert rule.update(1, {"loss": 1.6}).reason == (
        "Divergence: loss is 1.6, worse than 3 times its best 0.5"
    )
    assert rule.update(2, {"loss": math.nan}).reason == "Divergence: loss is nan"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"value": None}, ValueError),
        ({"value": 1.0, "factor": 2.0}, ValueError),
        ({"value": math.inf}, ValueError),
        ({"value": "1"}, TypeError),
        ({"factor": 1.0}, ValueError),
        ({"factor": -2}, ValueError),
        ({"factor": math.nan}, ValueError),
        ({"factor": "2"}, TypeError),
        ({"monitor": 1, "value": 1.0}, TypeError),
        ({"mode": "up", "value": 1.0}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Divergence(**arguments)
