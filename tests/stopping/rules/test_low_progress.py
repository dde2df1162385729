"""Low progress, against Prechelt's P_k < 0.1."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kerasopt.stopping import LowProgress
from tests.conftest import examples


def stops(rule, values):
    """Give all steps at which the rule says stop."""
    rule.reset()
    name = rule.train_metric
    return [step for step, value in enumerate(values) if rule.update(step, {name: value}).stop]


@pytest.mark.parametrize(
    ("threshold", "strip", "values", "steps"),
    [
        (0.1, 5, [1.2, 1.1, 1.0, 1.0, 1.0, 0.50002, 0.50001, 0.5, 0.5, 0.5], [9]),
        # P = 125; below, not at.
        (125.0, 2, [1.25, 1.0], []),
        (126.0, 2, [1.25, 1.0], [1]),
        # A strip of its own each: the fall between the strips does not count.
        (0.1, 2, [2.0, 2.0, 1.0, 1.0], [1, 3]),
        # A rise within the strip is "progress", too: the mean is above the least.
        (0.1, 2, [1.0, 1.25], []),
        (125.0, 2, [-0.75, -1.0], []),
        (126.0, 2, [-0.75, -1.0], [1]),
        (0.1, 2, [0.0, 0.0], [1]),
        (0.1, 2, [1.0, 0.0], []),
        (0.1, 5, [1.0] * 4, []),
        (0.1, 5, [1.0] * 12, [4, 9]),
        (0.1, 2, [1.0, math.nan, 1.0, math.inf, 1.0, 1.0], [2, 5]),
    ],
)
def test_sequences(threshold, strip, values, steps):
    assert stops(LowProgress(threshold, strip), values) == steps
    higher = LowProgress(threshold, strip, monitor="val_score", mode="max")
    assert stops(higher, [-value for value in values]) == steps


@given(
    st.lists(st.floats(0.01, 2.0), max_size=14),
    st.integers(2, 5),
    st.sampled_from([0.1, 50.0, 300.0]),
)
@examples(100)
def test_formula_in_exact_arithmetic(values, strip, threshold):
    expected = []
    for end in range(strip - 1, len(values), strip):
        errors = [Fraction(value) for value in values[end - strip + 1 : end + 1]]
        moved = 1000 * (sum(errors) / (strip * min(errors)) - 1)
        assume(abs(moved - Fraction(threshold)) > Fraction(1, 10**6))
        if moved < Fraction(threshold):
            expected.append(end)
    assert stops(LowProgress(threshold, strip), values) == expected


def test_it_needs_no_validation_data():
    rule = LowProgress(strip=2)
    state = rule.get_state()
    assert not rule.update(0, {"val_loss": 1.0}).stop
    assert rule.get_state() == state
    seen = [{"loss": 1.0, "val_loss": 5.0 - t} for t in range(2)]
    assert [rule.update(t, one).stop for t, one in enumerate(seen)] == [False, True]


def test_the_reason_says_how_little():
    rule = LowProgress()
    values = [0.50002, 0.50001, 0.5, 0.5, 0.5]
    verdicts = [rule.update(t, {"loss": e}) for t, e in enumerate(values)]
    assert verdicts[-1].reason == (
        "LowProgress: loss progressed by 0.012 per thousand in 5 epochs (less than 0.1)"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"threshold": 0.0}, ValueError),
        ({"threshold": math.nan}, ValueError),
        ({"threshold": "0.1"}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        LowProgress(**arguments)
