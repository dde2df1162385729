"""Connections that are dropped, and others that grow."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning.criteria import Context
from kerasopt.pruning.masks.dynamics import DYNAMICS, RigL, Set, drop_and_grow
from kerasopt.pruning.masks.dynamics import get as get_dynamics


@given(
    size=st.integers(1, 60), density=st.floats(0, 1), number=st.integers(0, 70),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_as_many_stay_and_the_right_ones_go(size, density, number, seed):
    rng = np.random.default_rng(seed)
    kept = rng.random(size) < density
    weights = np.where(kept, rng.normal(size=size), 0.0)
    growth = rng.random(size)
    new = drop_and_grow(kept, weights, growth, number)
    assert new.sum() == kept.sum()
    count = min(number, kept.sum(), (~kept).sum())
    order = sorted(np.flatnonzero(kept), key=lambda i: abs(weights[i]))
    dropped = set(order[:count])
    candidates = [i for i in range(size) if not kept[i] or i in dropped]
    grown = set(sorted(candidates, key=lambda i: -growth[i])[:count])
    expected = (set(np.flatnonzero(kept)) - dropped) | grown
    assert set(np.flatnonzero(new)) == expected


def test_the_share_falls_along_a_cosine():
    dynamics = RigL(0.3)
    assert dynamics.share(0, 0, 100) == 0.0  # the first masks were just chosen
    assert dynamics.share(50, 0, 100) == pytest.approx(0.15)
    assert dynamics.share(100, 0, 100) == pytest.approx(0.0)
    assert dynamics.share(101, 0, 100) == 0.0
    assert dynamics.share(35, 10, 110) == pytest.approx(0.15 * (1 + math.cos(math.pi / 4)))


def test_what_grows():
    weights = np.ones((3, 2))
    gradient = np.array([[1.0, -5.0], [0.0, 2.0], [-3.0, 4.0]])
    np.testing.assert_array_equal(
        RigL().growth(weights, Context(gradient=gradient), 7), np.abs(gradient)
    )
    one, other = Context(name="a"), Context(name="b")
    drawn = Set(seed=1).growth(weights, one, 7)
    np.testing.assert_array_equal(drawn, Set(seed=1).growth(weights, one, 7))
    for another in (
        Set(seed=2).growth(weights, one, 7),
        Set(seed=1).growth(weights, other, 7),
        Set(seed=1).growth(weights, one, 8),
    ):
        assert not np.array_equal(drawn, another)
    tail = "block/" * 20
    one, other = (Set().growth(weights, Context(name=f"{start}/{tail}"), 7) for start in "ab")
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("dynamics", [RigL(0.2, "3 epochs"), Set(0.5, 100, seed=3)])
def test_plain_data_and_back(dynamics):
    config = json.loads(json.dumps(dynamics.get_config()))
    again = DYNAMICS.find(type(dynamics).__name__).from_config(config)
    assert repr(again) == repr(dynamics)


def test_names():
    assert get_dynamics("gradual") is None
    assert get_dynamics(None) is None
    assert isinstance(get_dynamics("RigL"), RigL)
    assert isinstance(get_dynamics("set"), Set)
    with pytest.raises(ValueError, match="`dynamics`.*'rigl'"):
        get_dynamics("rigel")
    with pytest.raises(TypeError, match="`dynamics`"):
        get_dynamics(3)
    with pytest.raises(ValueError, match="`fraction`"):
        RigL(1.0)
    with pytest.raises(ValueError, match="`end`"):
        Set(end=-1)
