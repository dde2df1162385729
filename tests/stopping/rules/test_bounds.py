"""Bounds: a number, or a factor of another number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping.rules.monitor import is_worse, one_bound, times_worse
from tests.conftest import examples


@pytest.mark.parametrize(
    ("reference", "factor", "mode", "expected"),
    [
        (0.25, 2, "min", 0.5),
        (0.25, 2, "max", 0.125),
        (-1.0, 2, "min", -0.5),
        (-1.0, 2, "max", -2.0),
        (0.0, 2, "min", None),
        (-0.0, 2, "max", None),
    ],
)
def test_times_worse(reference, factor, mode, expected):
    assert times_worse(reference, factor, mode) == expected


@given(
    st.floats(-100, 100).filter(lambda x: abs(x) > 1e-6),
    st.floats(1.01, 100),
    st.sampled_from(["min", "max"]),
)
@examples(100)
def test_times_worse_is_worse(reference, factor, mode):
    assert is_worse(times_worse(reference, factor, mode), reference, mode)


def test_beyond_a_bound_is_strict():
    assert is_worse(1.1, 1.0, "min")
    assert not is_worse(1.0, 1.0, "min")
    assert is_worse(0.9, 1.0, "max")
    assert not is_worse(1.0, 1.0, "max")
    assert not is_worse(math.inf, None, "min")


def test_exactly_one_is_given():
    assert one_bound("value", 3, None) == (3.0, None)
    assert one_bound("value", -1.5, None) == (-1.5, None)
    assert one_bound("value", None, 2) == (None, 2.0)
    for value, factor in ((None, None), (1.0, 2.0)):
        with pytest.raises(ValueError, match="`max_gap`"):
            one_bound("max_gap", value, factor)
