"""The power law, against exact curves and SciPy's `curve_fit`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping.rules.extrapolation import PowerLaw, fit_power_law
from tests.conftest import examples


def curve(t, a, b, c):
    """Give a t ** -b + c."""
    return a * np.asarray(t, float) ** -b + c


def squares(values, law):
    """Give the sum of squares that a law leaves."""
    rest = np.asarray(values) - curve(np.arange(1, len(values) + 1), *law)
    return float(rest @ rest)


def scipys(values):
    """Give the sum of squares of the best of some fits of SciPy within our bounds."""
    optimize = pytest.importorskip("scipy.optimize")
    t = np.arange(1, len(values) + 1)
    found = []
    for b in (0.1, 1.0, 4.0):
        start = (max(values[0] - values[-1], 0.1), b, min(values))
        bounds = ([0.0, 0.01, -np.inf], [np.inf, 10.0, np.inf])
        law, _ = optimize.curve_fit(curve, t, values, start, bounds=bounds, max_nfev=2000)
        found.append(squares(values, law))
    return min(found)


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (0.8, 0.5, 0.2),
        (1.0, 1.0, 0.0),
        (2.0, 2.0, -1.0),
        (100.0, 0.3, 5.0),
        (1e-3, 1.0, 1e-3),
        (1.0, 5.0, 0.5),
    ],
)
@pytest.mark.parametrize("epochs", [4, 10, 100])
def test_an_exact_law_is_found(a, b, c, epochs):
    law = fit_power_law(curve(range(1, epochs + 1), a, b, c))
    assert law == pytest.approx((a, b, c), rel=1e-5, abs=1e-5 * a)


@given(
    st.floats(0.1, 10.0),
    st.floats(0.05, 5.0),
    st.floats(-5.0, 5.0),
    st.integers(4, 40),
)
@examples(60)
def test_an_exact_law_is_followed(a, b, c, epochs):
    t = np.arange(1, epochs + 1)
    law = fit_power_law(curve(t, a, b, c))
    assert law.b == pytest.approx(b, rel=1e-3)
    assert curve(t, *law) == pytest.approx(curve(t, a, b, c), abs=1e-6 * a)


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.1, 2.0),
    st.floats(0.2, 3.0),
    st.floats(0.0, 0.3),
    st.integers(5, 30),
)
@examples(25)
def test_no_fit_of_scipy_leaves_less(seed, a, b, noise, epochs):
    rng = np.random.default_rng(seed)
    values = curve(range(1, epochs + 1), a, b, 0.5) + noise * rng.normal(size=epochs)
    ours = squares(values, fit_power_law(values))
    assert ours <= scipys(values) * (1 + 1e-6) + 1e-10


@given(st.lists(st.floats(-5.0, 5.0), min_size=4, max_size=15))
@examples(60)
def test_no_line_and_no_grid_leaves_less(values):
    law = fit_power_law(values)
    assert law.a >= 0.0
    assert 0.01 <= law.b <= 10.0
    ours = squares(values, law)
    assert ours <= float(np.var(values)) * len(values) * (1 + 1e-9) + 1e-12
    for b in np.geomspace(0.011, 9.9, 23):
        x = np.stack([np.arange(1, len(values) + 1) ** -b, np.ones(len(values))], 1)
        (a, c), *_ = np.linalg.lstsq(x, np.asarray(values), rcond=None)
        if a >= 0.0:
            # Between two points of the search it may miss a second, shallow dip, not more.
            assert ours <= squares(values, (a, b, c)) * (1 + 1e-3) + 1e-9


@given(st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=12), st.floats(-3.0, 3.0))
@examples(40)
def test_a_constant_and_a_scale_go_through(values, constant):
    ours = squares(values, fit_power_law(values))
    moved = [4.0 * value + constant for value in values]
    assert squares(moved, fit_power_law(moved)) == pytest.approx(16 * ours, rel=1e-4, abs=1e-9)


def test_a_rising_curve_is_a_constant():
    law = fit_power_law([1.0, 2.0, 3.0, 4.0])
    assert (law.a, law.c) == (0.0, 2.5)


def test_three_values_are_met():
    law = fit_power_law([1.0, 0.5, 0.3])
    assert [law(t) for t in (1, 2, 3)] == pytest.approx([1.0, 0.5, 0.3], abs=1e-6)


def test_a_law_is_a_curve():
    law = PowerLaw(0.8, 0.5, 0.2)
    assert law(1) == 1.0
    assert law(4) == pytest.approx(0.6)
    assert law(1e300) == pytest.approx(0.2)
    assert isinstance(law(np.int64(4)), float)
