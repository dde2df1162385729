"""Up strips, against Prechelt's recursion."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import UpStrips
from tests.conftest import examples
from tests.stopping.rules.sequences import stops


@pytest.mark.parametrize(
    ("strips", "strip", "values", "step"),
    [
        (1, 2, [1.0, 0.8, 0.7, 0.9], 3),
        (2, 2, [1.0, 0.8, 0.7, 0.9, 0.9, 0.95, 0.9, 1.0], 5),
        (3, 2, [1.0, 0.8, 0.7, 0.9, 0.9, 0.95, 0.9, 1.0], 7),
        (4, 2, [1.0, 0.8, 0.7, 0.9, 0.9, 0.95, 0.9, 1.0], None),
        # Only the ends of strips are compared.
        (1, 2, [0.1, 1.0, 9.0, 0.9, 9.0, 0.8], None),
        # Equal is no rise, and a fall begins the count anew.
        (1, 1, [1.0, 1.0, 1.0], None),
        (2, 1, [1.0, 1.1, 1.1, 1.2, 1.3], 4),
        (2, 1, [1.0, 1.1, 0.9, 1.0, 1.1], 4),
        # The rise need not be above the best.
        (2, 1, [5.0, 1.0, 2.0, 3.0], 3),
        (1, 1, [-1.0, -0.5], 1),
        # The run ends within a strip.
        (1, 5, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], None),
        (1, 5, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], 9),
        # What is not finite is passed over: the strips get longer.
        (1, 2, [1.0, 0.8, math.nan, 0.7, math.inf, 0.9], 5),
        (1, 1, [1.0, math.inf, math.nan, 0.9], None),
    ],
)
def test_sequences(strips, strip, values, step):
    assert stops(UpStrips(strips, strip), values) == step
    higher = UpStrips(strips, strip, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == step


CURVES = st.lists(st.floats(-5.0, 5.0) | st.integers(-2, 2).map(float), max_size=24)


@given(CURVES, st.integers(1, 4), st.integers(1, 4))
@examples(200)
def test_prechelts_recursion(values, strips, strip):
    def up(successive, end):
        if successive == 0:
            return True
        before = end - strip
        return before >= 0 and values[end] > values[before] and up(successive - 1, before)

    ends = range(strip - 1, len(values), strip)
    expected = [end for end in ends if up(strips, end)]
    rule = UpStrips(strips, strip)
    got = [step for step, e in enumerate(values) if rule.update(step, {"val_loss": e}).stop]
    assert got == expected


@given(CURVES, st.integers(1, 3), st.integers(1, 3))
@examples(50)
def test_a_falling_curve_never_stops(values, strips, strip):
    assert stops(UpStrips(strips, strip), sorted(values, reverse=True)) is None


def test_validation_every_other_epoch_makes_strips_twice_as_long():
    rule = UpStrips(1, 2)
    seen = [{"loss": 1.0} if t % 2 else {"val_loss": 1.0 + t} for t in range(8)]
    assert [rule.update(t, one).stop for t, one in enumerate(seen)].index(True) == 6


def test_the_reason_says_how_long():
    rule = UpStrips(2, 1)
    verdicts = [rule.update(t, {"val_loss": e}) for t, e in enumerate([0.8, 0.9, 0.95])]
    assert verdicts[-1].reason == (
        "UpStrips: val_loss has got worse in 2 strips of 1 epochs running; it is 0.95, its best "
        "was 0.8"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"strips": 0}, ValueError),
        ({"strips": 1.0}, TypeError),
        ({"strip": 0}, ValueError),
        ({"strip": "5"}, TypeError),
        ({"monitor": 1}, TypeError),
        ({"mode": None}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        UpStrips(**arguments)
