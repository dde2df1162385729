"""The k largest, against a plain sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning.masks.top_k import keep_largest, kth_largest
from tests.conftest import examples


@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    share=st.floats(0, 1),
)
def test_few_values_with_many_ties(values, share):
    scores = np.array(values, np.float32)
    kept = round(share * len(values))
    mask = keep_largest(scores, kept)
    # A stable sort by falling score takes the first among equals.
    expected = np.zeros(len(values), bool)
    expected[np.argsort(-scores, kind="stable")[:kept]] = True
    assert np.array_equal(mask, expected)


@examples(60)
@given(
    size=st.integers(5_000, 60_000),
    zeros=st.sampled_from([0.0, 0.3, 0.8, 0.99, 1.0]),
    levels=st.sampled_from([None, 1, 2, 7, 1000]),
    share=st.floats(0, 1),
    order=st.sampled_from(["random", "rising", "falling", "striped"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_many_values_sparse_tied_and_ordered(size, zeros, levels, share, order, seed):
    rng = np.random.default_rng(seed)
    scores = rng.random(size, dtype=np.float32)
    if levels:
        scores = np.floor(scores * levels)
    scores[rng.random(size) < zeros] = 0.0
    if order != "random":
        scores.sort()
    if order == "falling":
        scores = scores[::-1]
    if order == "striped":  # the sample's stride meets the layout of the values
        scores = np.resize(scores.reshape(-1), (size // 7, 7)).T.ravel()
    k = min(max(round(share * scores.size), 1), scores.size)
    assert kth_largest([np.ascontiguousarray(scores)], k) == np.sort(scores)[scores.size - k]
    mask = keep_largest(scores, k)
    assert mask.sum() == k
    assert k == scores.size or scores[mask].min() >= scores[~mask].max()


@given(
    values=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60),
    share=st.floats(0, 1),
)
def test_what_is_no_candidate_is_kept(values, share):
    scores, candidates = np.array([v for v, _ in values], "f4"), np.array([c for _, c in values])
    must = (~candidates).sum()
    kept = int(must + round(share * candidates.sum()))
    order = [i for i in np.argsort(-scores, kind="stable") if candidates[i]][: kept - must]
    mask = keep_largest(scores, kept, candidates)
    assert set(np.flatnonzero(mask)) == {*order, *np.flatnonzero(~candidates)}


@given(st.lists(st.lists(st.integers(0, 30), max_size=40), min_size=1, max_size=5), st.data())
def test_several_arrays_are_as_one(parts, data):
    parts = [np.array(part, "f4").repeat(200) for part in parts]  # beyond what is simply sorted
    together = np.sort(np.concatenate(parts))
    if together.size:
        k = data.draw(st.integers(1, together.size))
        assert kth_largest(parts, k) == together[together.size - k]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("step", [15, 17, 19, 21])
@pytest.mark.parametrize("k", [1, 300, 400, 2500, 4500, 5000])
def test_a_sample_that_is_nothing_like_the_rest(sign, step, k):
    scores = np.random.default_rng(0).integers(0, 900, 5000).astype("f4")
    scores[::step] += sign * 1000  # the entries that the sample is made of, if it steps so
    assert kth_largest([scores], k) == np.sort(scores)[5000 - k]


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 9])
def test_none_one_and_all(kept):
    assert keep_largest(np.array([2.0, 1.0, 3.0]), kept).sum() == min(kept, 3)


def test_the_shape_stays():
    scores = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(keep_largest(scores, 12), scores >= 12)
    assert np.array_equal(keep_largest(scores.T, 12), (scores >= 12).T)


def test_infinity_is_a_value_like_others():
    assert keep_largest(np.array([1.0, np.inf, 2.0]), 1).tolist() == [False, True, False]
