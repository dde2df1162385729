"""Scopes: who gives how much, against plain sorts and the papers' formulas."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning import NM, Block, DenseEnds, Erk, Global, Named, PerLayer, masks
from kerasopt.pruning.scopes import Kernel
from kerasopt.pruning.scopes import get as get_scope
from kerasopt.pruning.scopes.registry import deserialize, serialize
from kerasopt.pruning.scopes.scope import number_kept
from tests.pruning.kernels import SHAPES, SPARSITIES, kernels, size, total


@given(SHAPES, SPARSITIES, st.sampled_from([None, 1, 3]), st.integers(0, 99))
def test_global_is_a_sort_of_all_but_the_best_of_each(shapes, sparsity, levels, seed):
    weights = kernels(shapes, seed, levels)
    kept = masks(weights, sparsity, scope="global")
    filled = [one for one in weights.values() if one.size]
    budget = max(number_kept(size(weights), sparsity), len(filled))
    assert total(kept) == budget
    best = [(name, int(abs(one).argmax())) for name, one in weights.items() if one.size]
    free = [
        (-abs(value), number, name, place)
        for number, (name, one) in enumerate(weights.items())
        for place, value in enumerate(one.ravel())
        if (name, place) not in best
    ]
    expected = {(name, place) for _, _, name, place in sorted(free)[: budget - len(best)]}
    found = {(name, int(place)) for name, one in kept.items() for place in np.flatnonzero(one)}
    assert found == expected | set(best)


@pytest.mark.parametrize(("sparsity", "blocks"), [(0.4, 5), (0.45, 4), (0.43, 5)])
def test_global_gives_the_number_of_blocks_that_is_nearest(sparsity, blocks):
    weights = kernels([(8, 8), (8, 8)], 0)
    assert total(masks(weights, sparsity, scope="global", pattern=Block(4, 4))) == 16 * blocks


def test_global_with_an_unimportant_layer():
    weights = {"a": np.arange(1.0, 11.0), "b": np.arange(100.0, 110.0)}
    kept = masks(weights, 0.5, scope="global")
    assert kept["a"].tolist() == [False] * 9 + [True]
    assert kept["b"].tolist() == [False] + [True] * 9


@given(SHAPES, st.floats(0, 0.9), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_global_with_blocks_is_exact_to_one_block(shapes, sparsity, h, w, seed):
    weights = kernels(shapes, seed)
    kept = masks(weights, sparsity, scope="global", pattern=Block(h, w))
    wanted = number_kept(size(weights), sparsity)
    least = sum(min(h * w, one.size) for one in weights.values())  # one each
    assert total(kept) <= max(wanted + h * w / 2, least)
    assert total(kept) >= wanted - h * w / 2


@given(
    st.lists(st.sampled_from([(4, 6), (9, 2), (3, 3, 2, 8)]), min_size=2, max_size=4),
    st.floats(0, 0.9),
    st.integers(0, 99),
)
def test_global_with_channels_is_exact_to_half_a_channel(shapes, sparsity, seed):
    weights = kernels(shapes, seed)
    kept = total(masks(weights, sparsity, scope="global", pattern="channel"))
    channels = [one.size // one.shape[-1] for one in weights.values()]
    wanted = max(number_kept(size(weights), sparsity), sum(channels))
    assert abs(kept - wanted) <= max(channels) / 2 or kept == sum(channels)


@given(
    st.lists(st.sampled_from([(8, 3), (4, 4), (16, 5)]), min_size=1, max_size=4), st.floats(0, 1)
)
def test_global_with_groups(shapes, way):
    weights = kernels(shapes)
    kept = masks(weights, way * 0.5, scope="global", pattern="2:4")
    assert total(kept) == number_kept(size(weights), way * 0.5)
    for one in kept.values():
        groups = one.reshape(-1, 4, one.shape[1]).sum(axis=1)
        assert groups.min() >= 2
        assert way < 1 or groups.max() == 2


@pytest.mark.parametrize("scope", ["layer", "global", "erk"])
def test_more_than_a_pattern_can_express(scope):
    weights = kernels([(8, 4), (3, 5)])
    with pytest.raises(ValueError, match=r"at most 0.5, .* 'l0/kernel'.*Received: sparsity=0.6"):
        masks(weights, 0.6, scope=scope, pattern="2:4")
    kept = masks(weights, 0.5, scope=scope, pattern="2:4")  # and three rows keep two
    assert [one.sum() for one in kept.values()] == [16, 10]


@pytest.mark.parametrize("scope", ["global", "erk"])
def test_a_kernel_with_groups_beside_one_without(scope):
    weights, patterns = kernels([(8, 4), (8, 4)]), {"l0/kernel": NM(2, 4), "l1/kernel": "weight"}
    kept = masks(weights, 0.7, scope=scope, pattern=patterns)
    assert total(kept) == round(64 * 0.3)
    assert kept["l0/kernel"].sum() >= 16
    with pytest.raises(ValueError, match="at most 0.75, .* for 'l0/kernel'. Received"):
        masks(weights, 0.8, scope=scope, pattern=patterns)


def test_names_wildcards_and_regular_expressions():
    weights = kernels([(10, 10)] * 4)
    weights = dict(zip(["m/a/kernel", "m/b/kernel", "top[1]/kernel", "c"], weights.values(),
                       strict=True))  # fmt: skip
    for scope, expected in [
        ({"a": 0.5}, [50, 80, 80, 80]),
        ({"m/a": 0.5}, [50, 80, 80, 80]),
        ({"m/a/kernel": 0.5}, [50, 80, 80, 80]),
        ({"m/*": 0.5, "c": 0.0}, [50, 50, 80, 100]),
        ({"top[1]": 0.9}, [80, 80, 10, 80]),
        ({re.compile("^(m/b|c)"): 0.7}, [80, 30, 80, 30]),
        ({"b": 0.1, "*": 0.6}, [40, 90, 40, 40]),  # the first that matches
        ({"*": 0.6, "b": 0.1}, [40, 40, 40, 40]),
        ({}, [80, 80, 80, 80]),
    ]:
        kept = masks(weights, 0.2, scope=scope)
        assert [one.sum() for one in kept.values()] == expected, scope
    halfway = masks(weights, 0.2, scope={"a": 0.5}, share=0.5)
    assert [one.sum() for one in halfway.values()] == [75, 80, 80, 80]


@pytest.mark.parametrize(
    ("scope", "error", "said"),
    [
        (
            {"denze": 0.5},
            ValueError,
            "Received: scope='denze'. Did you mean 'dense'.* are: dense/k",
        ),
        ({re.compile("x"): 0.5}, ValueError, "names that match a kernel.*re.compile"),
        ({"dense": 1.0}, ValueError, r"`scope\['dense'\]`. Expected a float in \[0, 1\)"),
        ({"dense": "0.5"}, TypeError, r"`scope\['dense'\]`"),
        ({3: 0.5}, TypeError, "`scope`. Expected layer names or compiled regular"),
        ("globl", ValueError, "Did you mean 'global'"),
        (None, TypeError, "`scope`. Expected a scope"),
        (Global, TypeError, "`scope`"),
    ],
)
def test_wrong_scopes(scope, error, said):
    with pytest.raises(error, match=said):
        masks({"dense/kernel": np.ones(4)}, 0.5, scope=scope)


def test_units_that_must_stay_are_counted():
    kernel = Kernel("a", (3, 1), np.ones((3, 1)), candidates=np.array([[0], [0], [1]], bool))
    assert [kernel.kept_at(sparsity) for sparsity in (0.0, 0.3, 0.9)] == [3, 2, 2]
    assert Kernel("a", (3, 1), np.ones((3, 1))).kept_at(0.9) == 1
    assert Kernel("a", (0, 1), np.ones((0, 1))).kept_at(0.9) == 0


def test_named_with_groups():
    with pytest.raises(ValueError, match=r"at most 0.5, .* for 'a'. Received: sparsity=0.6"):
        masks({"a": np.ones((4, 4)), "b": np.ones((4, 4))}, 0.3, scope={"a": 0.6}, pattern="2:4")


@given(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3))
def test_dense_ends(number, first, last):
    weights = kernels([(10, 10)] * number)
    kept = list(masks(weights, 0.7, scope=DenseEnds("global", first, last)).values())
    inner = range(first, number - last)
    assert all(one.all() for place, one in enumerate(kept) if place not in inner)
    assert sum(kept[place].sum() for place in inner) == 30 * len(inner)


@pytest.mark.parametrize("arguments", [{"first": -1}, {"last": 0.5}, {"scope": "x"}])
def test_wrong_ends(arguments):
    with pytest.raises((ValueError, TypeError), match=f"`{next(iter(arguments))}`"):
        DenseEnds(**arguments)


SCOPES = [PerLayer(), Global(), Erk(), Named({"a": 0.5, "b*": 0.25}), Named({re.compile("a"): 0.5}),
          DenseEnds(), DenseEnds("erk", 0, 2), DenseEnds({"a": 0.5}, 1, 1)]  # fmt: skip


@pytest.mark.parametrize("scope", SCOPES, ids=repr)
def test_there_and_back(scope):
    again = deserialize(serialize(scope))
    assert again == type(scope).from_config(scope.get_config()) == scope == get_scope(scope)
    assert hash(again) == hash(scope)
    assert [other for other in SCOPES if other == scope] == [scope]


def test_names_of_scopes():
    found = [get_scope(name) for name in ("layer", "GLOBAL", "erk", "dense_ends")]
    assert found == [PerLayer(), Global(), Erk(), DenseEnds()]
