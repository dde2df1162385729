"""Patience and the base of rules, against hand-computed sequences."""

import json
import math

import pytest

from kerasopt.stopping import Patience
from kerasopt.stopping.monitoring import direction, missing_metric


def stops(rule, values):
    """Give the first step at which the rule stops, or None."""
    rule.reset()
    for step, value in enumerate(values):
        if rule.update(step, {rule.metric: value}).stop:
            return step
    return None


@pytest.mark.parametrize(
    ("patience", "values", "step"),
    [
        (2, [1.0, 0.8, 0.81, 0.85], 3),
        (3, [1.0, 0.8, 0.81, 0.85], None),
        (1, [1.0, 0.8, 0.81], 2),
        (0, [1.0, 0.8, 0.81], 2),
        (0, [1.0, 0.9, 0.8], None),
        (2, [1.0, 1.0, 0.9, 0.9, 0.9], 4),
        (2, [math.nan, 0.9, 0.8, 0.7, 0.6], None),
        (2, [math.nan, math.nan, math.nan], 1),
        (2, [0.9, math.inf, 0.8, math.nan, math.nan], 4),
    ],
)
def test_sequences(patience, values, step):
    assert stops(Patience(patience), values) == step


def test_higher_is_better_and_min_delta():
    rule = Patience(2, min_delta=0.1, monitor="val_auc")
    assert stops(rule, [0.5, 0.55, 0.59, 0.7]) == 2
    assert stops(rule, [0.5, 0.65, 0.70, 0.78]) is None
    assert Patience(2, min_delta=-0.1).min_delta == 0.1


def test_a_baseline_must_be_beaten_within_the_patience():
    rule = Patience(2, baseline=0.5)
    assert stops(rule, [1.0, 0.9, 0.8, 0.7]) == 1
    rule.reset()
    rule.update(0, {"val_loss": 1.0})
    assert "did not beat the baseline 0.5" in rule.update(1, {"val_loss": 0.9}).reason
    assert stops(rule, [1.0, 0.4, 0.39, 0.38]) is None
    assert stops(rule, [0.4, 0.41, 0.42]) == 2


def test_the_reason_says_what_was_seen():
    rule = Patience(1)
    rule.update(0, {"val_loss": 0.8})
    verdict = rule.update(1, {"val_loss": 0.81})
    assert verdict.reason == "Patience: val_loss has not improved on 0.8 for 1 epochs; it is 0.81"


def test_a_missing_value_changes_nothing():
    rule = Patience(1)
    rule.update(0, {"val_loss": 0.8})
    state = rule.get_state()
    assert not rule.update(1, {"loss": 3.0}).stop
    assert rule.get_state() == state


def test_state_is_plain_data():
    values = [1.0, 0.8, 0.9, 0.85, 0.95, 0.7]
    for cut in range(1, 6):
        rule, other = Patience(3), Patience(3)
        for step in range(cut):
            rule.update(step, {"val_loss": values[step]})
        other.set_state(json.loads(json.dumps(rule.get_state())))
        for step in range(cut, 6):
            seen = {"val_loss": values[step]}
            assert rule.update(step, seen) == other.update(step, seen)


def test_config_is_plain_data():
    rule = Patience(3, 0.1, True, 0.5, 2, 0.7, "val_auc", "max")
    again = Patience.from_config(json.loads(json.dumps(rule.get_config())))
    assert again.get_config() == rule.get_config()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("val_loss", "min"),
        ("val_mean_squared_error", "min"),
        ("rmse", "min"),
        ("val_sparse_categorical_accuracy", "max"),
        ("auc_1", "max"),
        ("recall", "max"),
        ("my_score", None),
    ],
)
def test_direction_from_the_name(name, mode):
    assert direction(name) == mode


def test_an_unknown_direction_asks_for_mode():
    with pytest.raises(ValueError, match="Pass `mode="):
        stops(Patience(1, monitor="my_score"), [1.0, 2.0])
    assert stops(Patience(1, monitor="my_score", mode="max"), [1.0, 2.0]) is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"patience": -1}, ValueError),
        ({"patience": 1.5}, TypeError),
        ({"min_delta": float("nan")}, ValueError),
        ({"min_delta": "0"}, TypeError),
        ({"baseline": float("inf")}, ValueError),
        ({"mode": "up"}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Patience(**arguments)


def test_a_missing_metric_lists_those_that_exist():
    text = str(missing_metric("val_acuracy", {"loss": 1, "val_accuracy": 1}))
    assert "['loss', 'val_accuracy']" in text
    assert "Did you mean 'val_accuracy'?" in text
