"""Gradient disparity as a rule."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import GradientDisparity
from tests.conftest import examples


def stops(rule, disparities):
    """Give all steps at which the rule says stop, for two batches so far apart."""
    return [
        step
        for step, distance in enumerate(disparities)
        if rule.update(step, {"batch_gradients": [[0.0, 0.0], [0.0, distance]]}).stop
    ]


@pytest.mark.parametrize(
    ("patience", "disparities", "steps"),
    [
        (2, [1.0, 2.0, 1.5, 1.6, 1.7], [4]),
        (1, [1.0, 2.0, 1.5, 1.6, 1.7], [1, 3, 4]),
        (3, [1.0, 2.0, 1.5, 1.6, 1.7], []),
        (5, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [5, 6]),
        # Equal is no rise.
        (2, [1.0, 2.0, 2.0, 3.0, 4.0], [4]),
        (1, [1.0], []),
        (1, [0.0, 0.0, 1.0], [2]),
        # What is not finite is passed over: neither a rise nor the end of one.
        (2, [1.0, 2.0, math.nan, math.inf, 3.0], [4]),
        (1, [math.inf, math.nan, 1.0], []),
    ],
)
def test_sequences(patience, disparities, steps):
    assert stops(GradientDisparity(patience), disparities) == steps


def test_five_rises_by_default():
    assert stops(GradientDisparity(), range(1, 7)) == [5]


@given(st.lists(st.integers(0, 4), max_size=15), st.integers(1, 3))
@examples(100)
def test_rises_running(disparities, patience):
    expected = [
        end
        for end in range(patience, len(disparities))
        if all(disparities[t] > disparities[t - 1] for t in range(end - patience + 1, end + 1))
    ]
    assert stops(GradientDisparity(patience), disparities) == expected


def test_the_value_is_the_last_finite_disparity():
    rule = GradientDisparity()
    assert rule.value is None
    stops(rule, [3.0, math.nan])
    assert rule.value == 3.0
    rule.update(2, {"batch_gradients": [[0.0], [1.0], [3.0]]})
    assert rule.value == 2.0
    rule.reset()
    assert rule.value is None


def test_an_epoch_without_gradients_changes_nothing():
    rule = GradientDisparity(1)
    stops(rule, [1.0])
    state = rule.get_state()
    assert not rule.update(1, {"loss": 1.0}).stop
    assert rule.get_state() == state
    assert stops(rule, [2.0]) == [0]


def test_the_reason_says_how_often_and_to_what():
    rule = GradientDisparity(1)
    stops(rule, [1.0])
    assert rule.update(1, {"batch_gradients": [[0.0], [1.5]]}).reason == (
        "GradientDisparity: the disparity of the gradients of batches rose 1 times running, to 1.5"
    )


def test_wrong_gradients_are_an_error():
    with pytest.raises(ValueError, match="batches >= 2"):
        GradientDisparity().update(0, {"batch_gradients": [[1.0, 2.0]]})


@pytest.mark.parametrize(("patience", "error"), [(0, ValueError), (True, TypeError)])
def test_wrong_arguments(patience, error):
    with pytest.raises(error, match="`patience`"):
        GradientDisparity(patience)
