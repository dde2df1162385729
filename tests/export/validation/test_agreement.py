import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerasopt.export.options import MODES
from kerasopt.export.validation.agreement import compare, shortfall, sqnr

arrays = hnp.arrays(np.float64, (5, 3), elements=st.floats(-1e3, 1e3))


@given(arrays)
def test_no_difference_is_infinite(values):
    assert sqnr(values, values) == math.inf


@given(st.floats(-60, 120))
def test_known_ratio(decibels):
    signal = np.ones(1000)
    noise = 10 ** (-decibels / 20)
    assert sqnr(signal, signal + noise) == pytest.approx(decibels, abs=1e-3)


@given(arrays, st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_scale_does_not_matter(values, scale, seed):
    values[0, 0] = 7.0
    other = values + np.random.default_rng(seed).normal(size=values.shape)
    assert sqnr(values * scale, other * scale) == pytest.approx(sqnr(values, other), abs=1e-6)


def test_noise_without_signal():
    assert sqnr(np.zeros(3), np.full(3, 1e-9)) == -math.inf


def test_entries_that_are_not_finite_must_be_the_same():
    right = np.array([1.0, -np.inf, np.nan])
    assert sqnr(right, right) == math.inf
    assert sqnr(right, np.array([1.0, -1e9, np.nan])) == -math.inf
    assert sqnr(np.ones(2), np.array([1.0, np.nan])) == -math.inf


def test_argmax_counts_positions():
    right = np.array([[[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]])
    came = right.copy()
    came[0, 0] = [2.0, 1.0]
    assert compare(right, came).argmax == 0.75
    assert compare(right, came).samples == 2
    assert compare(right[..., :1], came[..., :1]).argmax is None
    right = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert compare(right, np.array([[1.0, 3.0, 2.0], [3.0, 2.0, 1.0]])).argmax == 0.5


def test_integers_are_judged_by_equality():
    right = np.array([1, 2, 3, 4])
    near = compare(right, np.array([1, 2, 3, 5]))
    assert near.equal == 0.75
    assert near.argmax is None
    assert "75%" in shortfall("float32", near)
    assert not shortfall("int8", near)


def test_booleans_compare():
    assert compare(np.array([True, False]), np.array([True, True])).equal == 0.5


@pytest.mark.parametrize("mode", MODES)
def test_floor_of_each_mode(mode):
    signal = np.ones((100, 1))
    for margin, good in ((1.0, True), (-1.0, False)):
        noise = 10 ** (-(MODES[mode].floor_db + margin) / 20)
        assert (not shortfall(mode, compare(signal, signal + noise))) is good


def test_rounding_on_a_signal_of_zeros_is_no_damage():
    assert not shortfall("float32", compare(np.zeros((2, 2)), np.full((2, 2), 1e-9)))
    assert shortfall("float32", compare(np.zeros((2, 2)), np.full((2, 2), 0.1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("mode", MODES)
def test_an_output_that_is_not_finite_falls_short(mode, bad):
    assert shortfall(mode, compare(np.ones((1, 1)), np.array([[bad]])))


def test_plain_data():
    plain = compare(np.ones((1, 2)), np.ones((1, 2))).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["sqnr_db"] is None
