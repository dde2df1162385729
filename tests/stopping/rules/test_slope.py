"""Slope, against hand-computed windows and SciPy's `linregress`."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kerasopt.stopping import Slope
from kerasopt.stopping.rules.slope import least_squares_slope
from tests.conftest import examples
from tests.stopping.rules.sequences import stops

CURVES = st.lists(st.floats(-5.0, 5.0), min_size=3, max_size=12)


@pytest.mark.parametrize(
    ("arguments", "values", "step"),
    [
        # Slopes of the windows of 4: -0.2, -0.14, -0.061, -0.001.
        ({"window": 4, "delta": 0.01}, [1.0, 0.8, 0.6, 0.4, 0.4, 0.39, 0.4], 6),
        ({"window": 4, "delta": 0.1}, [1.0, 0.8, 0.6, 0.4, 0.4, 0.39, 0.4], 5),
        ({"window": 4}, [1.0, 0.8, 0.6, 0.4, 0.4, 0.39, 0.4], None),
        # Only a full window counts.
        ({"window": 4}, [1.0, 2.0, 3.0], None),
        ({"window": 4}, [1.0, 2.0, 3.0, 4.0], 3),
        # A slope of exactly -delta is flat.
        ({"window": 2, "delta": 0.5}, [1.0, 0.5], 1),
        ({"window": 2, "delta": 0.25}, [1.0, 0.5], None),
        ({"window": 2}, [1.0, 1.0], 1),
        # Slope -0.5, standard error sqrt(0.75) = 0.866.
        ({"window": 3}, [2.0, 0.0, 1.0], None),
        ({"window": 3, "errors": 0.5}, [2.0, 0.0, 1.0], None),
        ({"window": 3, "errors": 0.6}, [2.0, 0.0, 1.0], 2),
        ({"window": 3, "delta": 0.1, "errors": 0.5}, [2.0, 0.0, 1.0], 2),
        # Two values leave no error.
        ({"window": 2, "errors": 100.0}, [1.0, 0.9], None),
        ({"window": 2, "delta": 0.0}, [-1.0, -1.5, -1.5], 2),
        # What is not finite is passed over.
        ({"window": 2}, [1.0, math.nan, math.inf, 0.5, -math.inf, 0.75], 5),
    ],
)
def test_sequences(arguments, values, step):
    assert stops(Slope(**arguments), values) == step
    higher = Slope(**arguments, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == step


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_flat_curve_stops_with_a_full_window(mode):
    rng = np.random.default_rng(0)
    for window in (2, 3, 5, 10, 19, 30):
        for value in rng.uniform(-2.0, 2.0, 50):
            rule = Slope(window, monitor="x", mode=mode)
            assert stops(rule, [float(value)] * window) == window - 1, (window, value)


@given(CURVES)
@examples(100)
def test_slope_and_error_are_those_of_scipy(values):
    stats = pytest.importorskip("scipy.stats")
    assume(np.ptp(values) > 1e-3)
    theirs = stats.linregress(range(len(values)), values)
    slope, error = least_squares_slope(values)
    assert slope == pytest.approx(theirs.slope, rel=1e-9, abs=1e-9)
    # SciPy takes the error from 1 - r^2, of which a near line leaves half of the digits.
    assert error == pytest.approx(theirs.stderr, rel=1e-6, abs=1e-6)


@given(CURVES, st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from([0.0, 1.0, 2.0]))
@examples(100)
def test_verdicts_by_scipy(values, delta, errors):
    stats = pytest.importorskip("scipy.stats")
    window = 3
    expected = []
    for end in range(window - 1, len(values)):
        line = stats.linregress(range(window), values[end - window + 1 : end + 1])
        margin = line.slope + delta + errors * line.stderr
        assume(abs(margin) > 1e-5)
        expected.append(bool(margin > 0))
    rule = Slope(window, delta, errors)
    got = [rule.update(step, {"val_loss": e}).stop for step, e in enumerate(values)]
    assert got == [False] * (window - 1) + expected


@given(CURVES, st.floats(-50.0, 50.0))
@examples(100)
def test_a_constant_changes_nothing(values, constant):
    moved = [value + constant for value in values]
    assert least_squares_slope(moved) == pytest.approx(least_squares_slope(values), abs=1e-10)


@given(CURVES)
@examples(50)
def test_backwards_and_upside_down(values):
    slope, error = least_squares_slope(values)
    expected = pytest.approx((-slope, error), abs=1e-12)
    assert least_squares_slope(values[::-1]) == expected
    assert least_squares_slope([-value for value in values]) == expected


def test_two_values():
    assert least_squares_slope([1.0, 0.25]) == (-0.75, 0.0)


def test_the_reason_keeps_the_sign_of_the_metric():
    rule = Slope(2, delta=0.1)
    rule.update(0, {"val_loss": 1.0})
    assert rule.update(1, {"val_loss": 0.95}).reason == (
        "Slope: val_loss changed by -0.05 an epoch over the last 2; it is 0.95"
    )
    rule = Slope(2, delta=0.1, monitor="val_accuracy")
    rule.update(0, {"val_accuracy": 0.5})
    assert "changed by 0.05 an epoch" in rule.update(1, {"val_accuracy": 0.55}).reason


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"window": 1}, ValueError),
        ({"window": 4.0}, TypeError),
        ({"delta": -0.1}, ValueError),
        ({"delta": math.nan}, ValueError),
        ({"delta": "0"}, TypeError),
        ({"errors": -1}, ValueError),
        ({"errors": math.inf}, ValueError),
        ({"errors": None}, TypeError),
        ({"monitor": 1}, TypeError),
        ({"mode": "up"}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Slope(**arguments)
