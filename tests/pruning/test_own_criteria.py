"""Criteria of one's own: functions and small classes."""

import ml_dtypes
import numpy as np
import pytest

from kerasopt.pruning import Context, Criterion, mask, masks
from kerasopt.pruning.criteria import get as get_criterion
from kerasopt.pruning.criteria.registry import Function
from kerasopt.pruning.masks.weight_scores import scored


class Second(Criterion):
    def scores(self, weights, context):
        return list(-weights)


def with_default(weights, context=None):
    return weights if context is None else context.moved


@pytest.mark.parametrize(
    "criterion",
    [
        np.negative,
        lambda w: -w,
        lambda w, axis=None: -w,
        lambda w, context: context.moved,
        with_default,
        lambda w: [[-x for x in row] for row in w],
        lambda w: (-w).astype(np.int8),
        lambda w: (-w).astype(np.float16),
        lambda w: w < 2.5,
        Second(),
    ],
)
def test_ones_own(criterion):
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    kept = mask(weights, 0.5, criterion=criterion, moved=-weights)
    assert kept.tolist() == [[True, True], [False, False]]


def test_a_function_may_give_infinity():
    assert mask(
        np.arange(4.0), 0.5, pattern="2:4", criterion=lambda w: [-np.inf, 0, np.inf, np.inf]
    ).tolist() == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("shape", [(), (4,), (2, 1), (2, 2, 1)])
def test_a_function_of_the_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for 'a'. Received: criterion=\("):
        masks({"a": np.ones((2, 2))}, 0.5, criterion=lambda w: np.ones(shape))


def test_a_function_that_gives_nan():
    with pytest.raises(ValueError, match="a cannot be pruned: Function.* gives NaN for 2 of 3"):
        masks({"a": np.ones(3)}, 0.5, criterion=lambda w: [1.0, np.nan, np.nan])


@pytest.mark.parametrize("dtype", ["bool", "u1", "i8", "f2", "f4", "f8", ml_dtypes.bfloat16])
def test_scores_become_floats_that_are_quickly_computed_with(dtype):
    weights = np.arange(40.0) % 2
    scores = scored(weights, Function(lambda w: w.astype(dtype)), Context())
    assert scores.dtype == ("f4" if dtype == "f4" else "f8")
    assert np.array_equal(scores, weights)


def test_functions_are_equal_where_the_function_is():
    assert get_criterion(np.square) == get_criterion(np.square) == Function(np.square)
    assert get_criterion(np.square) != get_criterion(np.abs)
    assert hash(Function(np.square)) == hash(Function(np.square))
