"""Generalization gap, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import GeneralizationGap
from tests.conftest import examples


def stops(rule, training, validation):
    """Give all steps at which the rule says stop."""
    rule.reset()
    names = rule.train_metric, rule.metric
    return [
        step
        for step, values in enumerate(zip(training, validation, strict=True))
        if rule.update(step, dict(zip(names, values, strict=True))).stop
    ]


@pytest.mark.parametrize(
    ("max_gap", "training", "validation", "steps"),
    [
        (0.25, [0.5, 0.5, 0.5], [0.75, 0.76, 0.6], [1]),
        (0.25, [1.0], [2.0], [0]),
        # Early in a run the gap is often negative.
        (0.25, [2.0, 1.0], [1.0, 1.0], []),
        (0.0, [1.0, 1.0], [1.0, 1.1], [1]),
        (-0.5, [1.0, 1.0], [0.5, 0.6], [1]),
        (0.25, [-1.0, -1.0], [-0.75, -0.5], [1]),
        (0.25, [0.5, math.nan, 0.5, math.inf, -math.inf], [math.nan, 9.0, math.inf, 9.0, 9.0], []),
        (0.25, [math.nan, 0.5], [9.0, 9.0], [1]),
    ],
)
def test_a_gap(max_gap, training, validation, steps):
    assert stops(GeneralizationGap(max_gap), training, validation) == steps
    higher = GeneralizationGap(max_gap, monitor="val_score", mode="max")
    upside_down = [-a for a in training], [-b for b in validation]
    assert stops(higher, *upside_down) == steps


def test_higher_is_better_by_the_name():
    rule = GeneralizationGap(0.1, monitor="val_accuracy")
    assert stops(rule, [0.80, 0.90, 0.99], [0.80, 0.88, 0.87]) == [2]


@pytest.mark.parametrize(
    ("mode", "training", "validation", "steps"),
    [
        ("min", [0.5, 0.5], [1.0, 1.01], [1]),
        ("min", [-1.0, -1.0, -1.0], [-0.5, -0.49, 0.5], [1, 2]),
        ("max", [1.0, 1.0], [0.5, 0.49], [1]),
        ("max", [-1.0, -1.0], [-2.0, -2.01], [1]),
        ("min", [0.5, 0.5], [0.1, 0.5], []),
        ("min", [math.nan, 0.5], [5.0, math.nan], []),
    ],
)
def test_a_factor_of_two(mode, training, validation, steps):
    rule = GeneralizationGap(factor=2, monitor="val_x", mode=mode)
    assert stops(rule, training, validation) == steps


@pytest.mark.parametrize("mode", ["min", "max"])
def test_no_factor_of_zero_is_crossed(mode):
    rule = GeneralizationGap(factor=2, monitor="val_x", mode=mode)
    assert stops(rule, [0.0, 0.0], [1.0, -1.0]) == []


@given(st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)), max_size=10))
@examples(50)
def test_each_epoch_by_itself(values):
    training, validation = zip(*values, strict=True) if values else ((), ())
    expected = [t for t, (a, b) in enumerate(values) if b - a > 0.5]
    assert stops(GeneralizationGap(0.5), training, validation) == expected
    expected = [t for t, (a, b) in enumerate(values) if b > 2 * a]
    assert stops(GeneralizationGap(factor=2), training, validation) == expected


@pytest.mark.parametrize(
    "seen", [{"val_loss": 9.0}, {"loss": 0.1}, {"val_loss": 9.0, "loss": None}, {}]
)
def test_an_epoch_without_one_of_the_two_is_passed_over(seen):
    rule = GeneralizationGap(0.25)
    rule.update(0, {"loss": 0.5, "val_loss": 0.5})
    state = rule.get_state()
    assert not rule.update(1, seen).stop
    assert rule.get_state() == state
    assert rule.update(2, {"loss": 0.5, "val_loss": 1.0}).stop


def test_the_training_metric_may_have_another_name():
    rule = GeneralizationGap(0.25, monitor="val_mae", train_monitor="train_mae")
    assert rule.watched == ("val_mae", "train_mae")
    assert not rule.update(0, {"val_mae": 1.0, "mae": 0.1}).stop
    assert rule.update(1, {"val_mae": 1.0, "train_mae": 0.1}).stop


def test_the_reason_says_how_far_behind():
    seen = {"loss": 0.5, "val_loss": 1.25}
    assert GeneralizationGap(0.25).update(0, seen).reason == (
        "GeneralizationGap: val_loss is 1.25 and loss 0.5: worse by 0.75 (more than 0.25)"
    )
    assert GeneralizationGap(factor=2).update(0, seen).reason == (
        "GeneralizationGap: val_loss is 1.25 and loss 0.5: worse by 0.75 (more than 2 times)"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"max_gap": None}, ValueError),
        ({"max_gap": 1.0, "factor": 2.0}, ValueError),
        ({"max_gap": math.nan}, ValueError),
        ({"max_gap": "1"}, TypeError),
        ({"factor": 1}, ValueError),
        ({"factor": math.inf}, ValueError),
        ({"factor": "2"}, TypeError),
        ({"train_monitor": 1, "max_gap": 1.0}, TypeError),
        ({"monitor": 1, "max_gap": 1.0}, TypeError),
        ({"mode": "up", "max_gap": 1.0}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        GeneralizationGap(**arguments)
