"""Generalization loss, against Prechelt's formula by hand and in exact arithmetic."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import GeneralizationLoss
from kerasopt.stopping.rules.prechelt import generalization_loss
from tests.conftest import examples
from tests.stopping.rules.sequences import stops

CURVES = st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("alpha", "values", "step"),
    [
        (5.0, [1.0, 0.8, 0.82, 0.85], 3),
        (6.25, [1.0, 1.0625], None),
        (6.25, [1.0, 1.0626], 1),
        (5.0, [1.0, 1.04, 1.02, 0.5, 0.53], 4),
        (12.5, [-1.0, -0.875], None),
        (12.5, [-1.0, -0.87], 1),
        (150.0, [-0.5, 0.0, 0.5], 2),
        (5.0, [0.0, 0.0, 1e-12], 2),
        (5.0, [-0.0, 0.0], None),
        (5.0, [3.0], None),
        (5.0, [1.0, math.nan, math.inf, -math.inf, 1.0, 1.1], 5),
        (5.0, [math.nan, 1.0, 1.1], 2),
        (1e300, [0.0, 1.0], 1),
    ],
)
def test_sequences(alpha, values, step):
    assert stops(GeneralizationLoss(alpha), values) == step


@pytest.mark.parametrize(
    ("alpha", "values", "step"),
    [
        (12.5, [0.5, 1.0, 0.875], None),
        (12.0, [0.5, 1.0, 0.875], 2),
        (50.0, [-1.0, -1.5], None),
        (49.0, [-1.0, -1.5], 1),
    ],
)
def test_higher_is_better(alpha, values, step):
    assert stops(GeneralizationLoss(alpha, "val_accuracy"), values) == step
    assert stops(GeneralizationLoss(alpha, "my_score", "max"), values) == step


@given(CURVES, CURVES)
@examples(100)
def test_formula_in_exact_arithmetic(errors, others):
    for error, lowest in zip(errors, others, strict=False):
        lowest, error = sorted((lowest, error))
        if abs(lowest) < 1e-6:
            continue
        exact = 100 * (Fraction(error) - Fraction(lowest)) / abs(Fraction(lowest))
        assert generalization_loss(error, lowest) == pytest.approx(float(exact), rel=1e-12)


@given(CURVES, st.floats(0.1, 50.0))
@examples(100)
def test_a_maximised_metric_is_negated(values, alpha):
    lower = GeneralizationLoss(alpha, "x", "min")
    higher = GeneralizationLoss(alpha, "x", "max")
    for step, value in enumerate(values):
        one = lower.update(step, {"x": value})
        other = higher.update(step, {"x": -value})
        assert one.stop == other.stop


@given(CURVES)
@examples(50)
def test_a_falling_curve_never_stops(values):
    assert stops(GeneralizationLoss(0.1), sorted(values, reverse=True)) is None


def test_the_reason_says_how_much_worse():
    rule = GeneralizationLoss(5.0)
    rule.update(0, {"val_loss": 0.8})
    assert rule.update(1, {"val_loss": 0.85}).reason == (
        "GeneralizationLoss: val_loss is 0.85, 6.25 % worse than its best 0.8 (more than 5 %)"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"alpha": 0.0}, ValueError),
        ({"alpha": -1}, ValueError),
        ({"alpha": math.nan}, ValueError),
        ({"alpha": math.inf}, ValueError),
        ({"alpha": "5"}, TypeError),
        ({"alpha": True}, TypeError),
        ({"monitor": 3}, TypeError),
        ({"mode": "up"}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        GeneralizationLoss(**arguments)
