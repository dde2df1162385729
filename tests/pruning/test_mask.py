"""`pruning.mask` has tfmot's facts, and is exact where tfmot is not."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning import mask
from kerasopt.pruning.scopes.scope import number_kept


def test_one_to_ten_at_a_fifth_zeroes_one_and_two():
    assert mask(np.arange(1.0, 11.0), 0.2).tolist() == [False] * 2 + [True] * 8


@pytest.mark.parametrize(("sparsity", "left"), [(0.5, 50), (0.9999, 1), (0.0, 100)])
def test_what_is_left_of_a_hundred(sparsity, left):
    assert mask(np.linspace(1, 100, 100), sparsity).sum() == left


def test_a_schedule_of_targets():
    targets = [0, 0.1, 0.1, 0.3, 0.3, *[0.5] * 5]
    weights = np.random.default_rng(0).normal(size=100)
    left = []
    for target in targets:
        weights = weights * mask(weights, target)
        left.append(int(np.count_nonzero(weights)))
    assert left == [100, 90, 90, 70, 70, *[50] * 5]


def test_ties_are_broken_so_that_the_number_is_exact():
    # tfmot keeps all four.
    assert mask(np.ones(4), 0.5).tolist() == [True, True, False, False]


def test_numbers_are_rounded_half_to_even():
    assert [number_kept(n, 0.5) for n in (1, 3, 5, 7, 9)] == [1, 2, 2, 4, 4]


@given(st.integers(1, 500), st.floats(0, 0.9999), st.sampled_from(["f2", "f4", "f8"]))
def test_exact_for_any_size_and_sparsity(size, sparsity, dtype):
    weights = np.random.default_rng(size).normal(size=size).astype(dtype)
    kept = mask(weights, sparsity)
    assert kept.dtype == bool
    assert kept.sum() == max(round(size * (1 - sparsity)), 1)
    assert kept.all() or abs(weights[kept]).min() >= abs(weights[~kept]).max()


def test_bfloat16_and_lists_and_a_million():
    assert mask(np.array([1, -3, 2, 0.5], ml_dtypes.bfloat16), 0.5).tolist() == [0, 1, 1, 0]
    assert mask([[1, -3], [2, 0.5]], 0.5).tolist() == [[False, True], [True, False]]
    assert mask(np.random.default_rng(0).normal(size=10**6), 0.8).sum() == 200_000


@pytest.mark.parametrize(
    ("sparsity", "error"),
    [(1.0, ValueError), (-0.1, ValueError), ("0.5", TypeError), (True, TypeError)],
)
def test_a_wrong_sparsity(sparsity, error):
    with pytest.raises(error, match=r"`sparsity`. Expected a float in \[0, 1\). Received"):
        mask(np.ones(4), sparsity)


def test_nan_is_an_error():
    with pytest.raises(ValueError, match="1 of 3 weights are NaN"):
        mask(np.array([1.0, np.nan, 2.0]), 0.5)


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        ("abc", TypeError),
        (None, TypeError),
        ({"a": 1}, TypeError),
        ([1j, 2.0], TypeError),
        ([[1.0], [1.0, 2.0]], ValueError),
    ],
)
def test_what_is_no_array_of_numbers(weights, error):
    with pytest.raises(error, match="`weights`"):
        mask(weights, 0.5)


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "u8"])
def test_large_integers_are_told_apart(dtype):
    assert mask(np.array([2**24, 2**24 + 1], dtype), 0.5).tolist() == [False, True]
