"""Patience and the base of rules, against hand-computed sequences."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt._core.logs import direction
from kerasopt.stopping import Patience
from kerasopt.stopping.rules.monitor import missing_metric
from tests.conftest import examples
from tests.stopping.rules.sequences import stops


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


CURVES = st.lists(st.floats(-5.0, 5.0) | st.integers(-2, 2).map(float), max_size=14)


@given(CURVES, st.integers(0, 4))
@examples(100)
def test_epochs_since_the_first_of_the_best(values, patience):
    expected = None
    for step in range(1, len(values)):
        seen = values[: step + 1]
        if step - seen.index(min(seen)) >= max(patience, 1):
            expected = step
            break
    assert stops(Patience(patience), values) == expected
    higher = Patience(patience, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == expected


@pytest.mark.parametrize(
    ("min_delta", "relative", "values", "step"),
    [
        # By more than min_delta, not by as much.
        (0.25, False, [1.0, 0.75], 1),
        (0.25, False, [1.0, 0.74], None),
        # Small steps are compared with the best, not with the last.
        (0.25, False, [1.0, 0.9, 0.7], 1),
        (0.5, True, [1.0, 0.5], 1),
        (0.5, True, [1.0, 0.49], None),
        (0.5, True, [1.0, 0.49, 0.25], 2),
        (0.5, True, [1.0, 0.49, 0.24], None),
        (0.5, True, [-1.0, -1.5], 1),
        (0.5, True, [-1.0, -1.51], None),
        # A share of nothing is nothing.
        (0.5, True, [0.0, -1e-9], None),
        (0.5, True, [0.0, 0.0], 1),
        (-0.5, True, [1.0, 0.6], 1),
    ],
)
def test_min_delta(min_delta, relative, values, step):
    assert stops(Patience(1, min_delta, relative), values) == step
    higher = Patience(1, min_delta, relative, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == step


def test_a_relative_min_delta_does_not_depend_on_the_scale():
    values = [1.0, 0.9, 0.86, 0.7, 0.69, 0.5, 0.49, 0.485]
    expected = stops(Patience(2, 0.1, True), values)
    assert expected == 7
    for scale in (2.0**-20, 2.0**20):
        assert stops(Patience(2, 0.1, True), [scale * value for value in values]) == expected


def test_a_lucky_epoch_is_no_best():
    # Smoothed by 0.5: 1, 0.75, 0.75, 0.625, 0.5625.
    values = [1.0, 0.5, 0.75, 0.5, 0.5]
    assert stops(Patience(2), values) == 3
    assert stops(Patience(2, smoothing=0.5), values) is None
    # Smoothed by 0.5: 1, 0.6, 0.8, 0.85.
    assert stops(Patience(2, smoothing=0.5), [1.0, 0.2, 1.0, 0.9]) == 3
    assert stops(Patience(2, smoothing=0.0), values) == 3


@given(CURVES, st.sampled_from([0.25, 0.5, 0.75]), st.integers(1, 3))
@examples(100)
def test_patience_on_the_smoothed_curve(values, smoothing, patience):
    # Sixteenths, so that nothing is rounded.
    values = [round(16 * value) / 16 for value in values]
    smoothed = []
    for value in values:
        before = smoothed[-1] if smoothed else value
        smoothed.append(smoothing * before + (1 - smoothing) * value)
    expected = stops(Patience(patience), smoothed)
    assert stops(Patience(patience, smoothing=smoothing), values) == expected


@pytest.mark.parametrize(("smoothing", "value"), [(0.5, 0.1), (0.34, 0.47), (0.3888, 1.9451)])
def test_a_smoothed_curve_begins_with_its_first_value(smoothing, value):
    rule = Patience(2, smoothing=smoothing)
    rule.update(0, {"val_loss": value})
    assert rule.best == value
    assert stops(rule, [value] * 5) == 2


def test_a_value_that_is_not_finite_does_not_enter_the_smoothed_curve():
    rule = Patience(9, smoothing=0.5)
    stops(rule, [1.0, math.nan, 0.5, math.inf])
    assert (rule.best, rule.best_step) == (0.75, 2)
    assert stops(Patience(2, smoothing=0.5), [1.0, math.nan, math.nan]) == 2


@pytest.mark.parametrize(
    ("patience", "cooldown", "values", "step"),
    [
        (1, 2, [1.0, 1.1, 1.1, 1.1], 3),
        (2, 1, [1.0, 1.1, 1.1, 1.1], 3),
        (2, 2, [1.0, 1.1, 1.1, 1.1], None),
        # The second improvement begins a second cooldown.
        (1, 1, [1.0, 1.1, 0.9, 1.0, 1.0], 4),
        # It may come within the first.
        (1, 2, [1.0, 1.1, 0.9, 1.0, 1.0, 1.0], 5),
        # After it has been used up, patience is.
        (2, 1, [1.0, 1.1, 1.1, 0.9, 1.0, 1.0, 1.0], 6),
        (1, 2, [1.0, math.nan, math.nan, math.nan], 3),
        (1, 2, [math.nan, math.nan], 1),
    ],
)
def test_cooldown_after_an_improvement(patience, cooldown, values, step):
    assert stops(Patience(patience, cooldown=cooldown), values) == step


def stops_with_rates(rule, rates, values):
    """Give the first step at which the rule stops, learning rates being reported."""
    for step, (rate, value) in enumerate(zip(rates, values, strict=True)):
        if rule.update(step, {"val_loss": value, "learning_rate": rate}).stop:
            return step
    return None


FLAT = [1.0, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1]


@pytest.mark.parametrize(
    ("patience", "cooldown", "rates", "step"),
    [
        (2, 1, [0.1] * 7, 3),
        # w is 1 after step 2, 0 at the fall, which begins a cooldown of steps 3 and 4.
        (2, 2, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01], 6),
        (2, 1, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01], 5),
        # A rise is nothing, nor is the first rate.
        (2, 1, [0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2], 3),
        (2, 1, [0.01, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 3),
        # A schedule that falls in every epoch never lets it wait.
        (1, 1, [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], None),
        # Without a cooldown a fall does nothing.
        (3, 0, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01], 3),
    ],
)
def test_cooldown_after_a_fall_of_the_learning_rate(patience, cooldown, rates, step):
    assert stops_with_rates(Patience(patience, cooldown=cooldown), rates, FLAT) == step


def test_a_fall_in_an_epoch_without_validation_is_seen_later():
    rule = Patience(2, cooldown=1)
    seen = [{"val_loss": value, "learning_rate": 0.1} for value in (1.0, 1.1, 1.1)]
    seen += [{"learning_rate": 0.01}]
    seen += [{"val_loss": 1.1, "learning_rate": 0.01}] * 3
    assert [rule.update(t, one).stop for t, one in enumerate(seen)].index(True) == 6


@pytest.mark.parametrize(
    ("arguments", "values", "step"),
    [
        # Reached is not beaten.
        ({"patience": 2, "baseline": 0.5}, [0.5, 0.5], 1),
        ({"patience": 3, "baseline": 0.5}, [1.0, 0.9, 0.8], 2),
        ({"patience": 3, "baseline": 0.5}, [1.0, 0.9, 0.4, 0.5, 0.5, 0.5], 5),
        ({"patience": 2, "baseline": 0.5}, [math.nan, 0.4, 0.3], None),
        # Beaten by min_delta, too.
        ({"patience": 2, "baseline": 0.5, "min_delta": 0.1}, [0.45, 0.44], 1),
        ({"patience": 2, "baseline": 0.5, "min_delta": 0.1}, [0.45, 0.3, 0.2], None),
        ({"patience": 2, "baseline": -1.0}, [-0.9, -1.1, -1.2], None),
        ({"patience": 2, "baseline": -1.0}, [-0.8, -0.9], 1),
        # The first epoch stops nothing.
        ({"patience": 1, "baseline": 0.5}, [1.0, 0.4], None),
        ({"patience": 1, "baseline": 0.5}, [1.0, 0.6], 1),
    ],
)
def test_baselines(arguments, values, step):
    assert stops(Patience(**arguments), values) == step
    arguments["baseline"] *= -1
    higher = Patience(**arguments, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == step


@pytest.mark.parametrize(
    ("arguments", "values", "reason"),
    [
        ({}, [math.nan, math.nan], "val_loss was not finite for 2 epochs"),
        (
            {"min_delta": 0.1},
            [1.0, 0.95],
            "val_loss has not improved on 1 by more than 0.1 for 1 epochs; it is 0.95",
        ),
        (
            {"min_delta": 0.1, "relative": True},
            [1.0, 0.95],
            "val_loss has not improved on 1 by more than 0.1 of it for 1 epochs; it is 0.95",
        ),
        (
            {"smoothing": 0.5},
            [1.0, 2.0],
            "smoothed val_loss has not improved on 1 for 1 epochs; it is 1.5",
        ),
        (
            {"baseline": 0.5},
            [0.4, 0.45],
            "val_loss has not improved on 0.4 for 1 epochs; it is 0.45",
        ),
        (
            {"baseline": 0.5},
            [0.6, 0.7],
            "val_loss did not beat the baseline 0.5 within 2 epochs; its best was 0.6",
        ),
    ],
)
def test_reasons(arguments, values, reason):
    rule = Patience(1, **arguments)
    verdicts = [rule.update(step, {"val_loss": value}) for step, value in enumerate(values)]
    assert verdicts[-1].reason == f"Patience: {reason}"


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
        ({"patience": True}, TypeError),
        ({"relative": 1}, TypeError),
        ({"smoothing": 1.0}, ValueError),
        ({"smoothing": -0.1}, ValueError),
        ({"smoothing": math.nan}, ValueError),
        ({"smoothing": "0.5"}, TypeError),
        ({"cooldown": -1}, ValueError),
        ({"cooldown": 1.0}, TypeError),
        ({"baseline": "0.5"}, TypeError),
        ({"monitor": 3}, TypeError),
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


def test_no_cooldown_before_the_baseline_is_beaten():
    # Every epoch is better, none beats the baseline: each uses up patience.
    assert stops(Patience(3, cooldown=5, baseline=0.1), [1.0, 0.9, 0.8, 0.7, 0.6]) == 2


def test_it_rounds_as_keras_does():
    # 0.4 - 0.3 is above 0.1 by rounding; Keras compares 0.3 + 0.1 with 0.4.
    assert stops(Patience(1, min_delta=0.1), [0.4, 0.3]) == 1
