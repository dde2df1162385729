"""Training strips: Prechelt's P_k and how a strip is counted."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import GeneralizationGap, LowProgress, ProgressQuotient
from kerasopt.stopping.rules.prechelt import progress
from tests.conftest import examples

ERRORS = st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([1.2, 1.1, 1.0, 1.0, 1.0], 60.0),
        ([0.50002, 0.50001, 0.5, 0.5, 0.5], 0.012),
        ([2.0, 1.0], 500.0),
        ([1.0, 2.0], 500.0),
        ([-0.5, -1.0], 250.0),
        ([1.0, -1.0], 1000.0),
        ([0.0, 0.0], 0.0),
        ([3.0], 0.0),
    ],
)
def test_progress_by_hand(errors, expected):
    assert progress(errors) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(ERRORS)
@examples(100)
def test_progress_in_exact_arithmetic(errors):
    exact = [Fraction(error) for error in errors]
    least = abs(min(exact))
    if least < Fraction(1, 1000):
        return
    expected = 1000 * (sum(exact) / len(exact) - min(exact)) / least
    assert progress(errors) == pytest.approx(float(expected), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(("error", "epochs"), [(0.1, 10), (0.7, 12), (1.0385519184280025, 8)])
def test_progress_is_never_negative(error, epochs):
    assert progress([error] * epochs) >= 0.0


def test_a_least_of_zero_is_infinite_progress():
    assert progress([1.0, 0.0]) == math.inf


@pytest.mark.parametrize(
    ("monitor", "train_monitor", "expected"),
    [
        (None, None, "loss"),
        ("val_accuracy", None, "accuracy"),
        ("val_accuracy", "loss", "loss"),
    ],
)
def test_the_training_metric(monitor, train_monitor, expected):
    rule = ProgressQuotient(monitor=monitor, train_monitor=train_monitor)
    assert rule.train_metric == expected
    assert rule.watched == (monitor or "val_loss", expected)


def test_low_progress_watches_the_training_metric_only():
    assert LowProgress(monitor="val_mae").watched == ("mae",)
    assert LowProgress(monitor="mae").watched == ("mae",)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"strip": 0}, ValueError),
        ({"strip": 2.0}, TypeError),
        ({"strip": True}, TypeError),
        ({"monitor": 1}, TypeError),
        ({"mode": "down"}, ValueError),
    ],
)
@pytest.mark.parametrize("cls", [LowProgress, ProgressQuotient])
def test_wrong_arguments(cls, arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        cls(**arguments)


@pytest.mark.parametrize("rule", [ProgressQuotient, LowProgress])
def test_one_epoch_alone_makes_no_progress(rule):
    with pytest.raises(ValueError, match="`strip`. Expected an integer >= 2"):
        rule(strip=1)


@pytest.mark.parametrize("make", [ProgressQuotient, lambda **a: GeneralizationGap(0.1, **a)])
def test_a_metric_is_not_compared_with_itself(make):
    with pytest.raises(
        ValueError, match="`monitor`. Expected a validation metric.*'mae'.*train_mo"
    ):
        make(monitor="mae")
    assert make(monitor="mae", train_monitor="loss").watched == ("mae", "loss")
