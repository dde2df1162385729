"""Scopes: who gives how much, against plain sorts and the papers' formulas."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasopt.pruning import NM, Block, DenseEnds, Erk, Global, Named, PerLayer, masks
from kerasopt.pruning.scopes import as_scope, erk_densities
from kerasopt.pruning.scopes.naming import deserialize, serialize
from kerasopt.pruning.scopes.scope import number_kept

SHAPES = st.lists(
    st.sampled_from([(), (1,), (5,), (1, 1), (4, 6), (7, 3), (3, 3, 2, 5), (20, 11), (0, 3)]),
    min_size=1,
    max_size=6,
)
SPARSITIES = st.floats(0, 0.9999)


def kernels(shapes, seed=0, levels=None):
    """Give kernels by name; with few levels many weights are equal."""
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=shape) if levels is None else rng.integers(1, levels + 1, shape)
             for shape in shapes]  # fmt: skip
    return {f"l{number}/kernel": np.asarray(one, float) for number, one in enumerate(drawn)}


def total(arrays):
    return sum(int(np.sum(one)) for one in arrays.values())


def size(weights):
    return sum(one.size for one in weights.values())


@given(SHAPES, SPARSITIES, st.sampled_from([None, 1, 3]), st.integers(0, 99))
def test_global_is_a_sort_of_all_but_the_best_of_each(shapes, sparsity, levels, seed):
    weights = kernels(shapes, seed, levels)
    kept = masks(weights, sparsity, "global")
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


def test_global_with_an_unimportant_layer():
    weights = {"a": np.arange(1.0, 11.0), "b": np.arange(100.0, 110.0)}
    kept = masks(weights, 0.5, "global")
    assert kept["a"].tolist() == [False] * 9 + [True]
    assert kept["b"].tolist() == [False] + [True] * 9


@given(SHAPES, st.floats(0, 0.9), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_global_with_blocks_is_exact_to_one_block(shapes, sparsity, h, w, seed):
    weights = kernels(shapes, seed)
    kept = masks(weights, sparsity, "global", Block(h, w))
    wanted = number_kept(size(weights), sparsity)
    least = sum(min(h * w, one.size) for one in weights.values())  # one each
    assert total(kept) <= max(wanted + h * w / 2, least)
    assert total(kept) >= wanted - h * w / 2


@given(
    st.lists(st.sampled_from([(8, 3), (4, 4), (16, 5)]), min_size=1, max_size=4), st.floats(0, 1)
)
def test_global_with_groups(shapes, way):
    weights = kernels(shapes)
    kept = masks(weights, way * 0.5, "global", "2:4")
    assert total(kept) == number_kept(size(weights), way * 0.5)
    for one in kept.values():
        groups = one.reshape(-1, 4, one.shape[1]).sum(axis=1)
        assert groups.min() >= 2
        assert way < 1 or groups.max() == 2


@pytest.mark.parametrize("scope", ["layer", "global", "erk"])
def test_more_than_a_pattern_can_express(scope):
    weights = kernels([(8, 4), (3, 5)])
    with pytest.raises(ValueError, match=r"at most 0.5, .* 'l0/kernel'.*Received: sparsity=0.6"):
        masks(weights, 0.6, scope, "2:4")
    kept = masks(weights, 0.5, scope, "2:4")  # and three rows keep two
    assert [one.sum() for one in kept.values()] == [16, 10]


@pytest.mark.parametrize("scope", ["global", "erk"])
def test_a_kernel_with_groups_beside_one_without(scope):
    weights, patterns = kernels([(8, 4), (8, 4)]), {"l0/kernel": NM(2, 4), "l1/kernel": "weight"}
    kept = masks(weights, 0.7, scope, patterns)
    assert total(kept) == round(64 * 0.3)
    assert kept["l0/kernel"].sum() >= 16
    with pytest.raises(ValueError, match="at most 0.75, .* for 'l0/kernel'. Received"):
        masks(weights, 0.8, scope, patterns)


def rigl_densities(shapes, sparsity):
    """Give the densities as `get_mask_random` of the RigL authors' code does, in its own terms."""
    dense = set()
    while True:
        divisor = rhs = 0.0
        raw = {}
        for number, shape in enumerate(shapes):
            n_param = float(np.prod(shape))
            n_zeros = int(n_param * sparsity)
            if number in dense:
                rhs -= n_zeros
            else:
                rhs += n_param - n_zeros
                raw[number] = np.sum(shape) / np.prod(shape)
                divisor += raw[number] * n_param
        eps = rhs / divisor
        if max(raw.values()) * eps <= 1:
            return [1.0 if number in dense else eps * raw[number] for number in range(len(shapes))]
        largest = max(raw.values())
        dense |= {number for number, value in raw.items() if value == largest}


@pytest.mark.parametrize("sparsity", [0.5, 0.8, 0.9, 0.95])
def test_erk_is_that_of_its_authors(sparsity):
    shapes = [(3, 3, 3, 64), (3, 3, 64, 128), (3, 3, 128, 256), (256, 100), (100, 10)]
    expected = rigl_densities(shapes, sparsity)
    assert (expected[0] == 1.0) == (sparsity < 0.95)
    # They truncate the number of zeros of each layer to an integer.
    np.testing.assert_allclose(erk_densities(shapes, 1 - sparsity), expected, atol=1e-4)
    kept = masks(kernels(shapes), sparsity, "erk")
    for one, density in zip(kept.values(), erk_densities(shapes, 1 - sparsity), strict=True):
        assert abs(one.sum() - density * one.size) <= 1


@given(SHAPES, SPARSITIES)
def test_erk_is_exact_in_all(shapes, sparsity):
    weights = kernels(shapes)
    kept = masks(weights, sparsity, "erk")
    filled = sum(one.size > 0 for one in weights.values())
    assert total(kept) == max(number_kept(size(weights), sparsity), filled)
    assert all(kept[name].any() for name, one in weights.items() if one.size)


@given(SHAPES, st.floats(0, 0.5))
def test_erk_with_groups_is_exact_too(shapes, sparsity):
    weights = kernels(shapes)
    kept, least = (masks(weights, *how, "2:4") for how in ((sparsity, "erk"), (0.5, "layer")))
    assert total(kept) == max(number_kept(size(weights), sparsity), total(least))


@given(
    st.lists(st.sampled_from([(4, 6), (2, 2), (3, 3, 2, 8), (20, 10)]), min_size=1, max_size=4),
    st.floats(0, 0.9),
    st.sampled_from(["channel", "block_2x2"]),
)
def test_erk_with_units_is_as_close_as_one_of_them(shapes, sparsity, pattern):
    weights = kernels(shapes)
    found = masks(weights, sparsity, "erk", pattern)
    unit = max(4 if pattern == "block_2x2" else np.prod(shape[:-1]) for shape in shapes)
    least = sum(4 if pattern == "block_2x2" else np.prod(shape[:-1]) for shape in shapes)
    wanted = max(number_kept(size(weights), sparsity), least)
    assert abs(total(found) - wanted) <= unit / 2 or total(found) == least


@settings(deadline=None, max_examples=40)
@given(SHAPES, st.sampled_from(["weight", "channel", "block_2x2", "2:4"]), st.integers(0, 99))
def test_erk_only_takes_along_a_rising_schedule(shapes, pattern, seed):
    weights = {name: one for name, one in kernels(shapes, seed).items() if one.ndim}
    counts = [
        [kept.sum() for kept in masks(weights, sparsity, "erk", pattern).values()]
        for sparsity in np.linspace(0, 0.5 if pattern == "2:4" else 0.99, 40)
    ]
    assert (np.diff(counts, axis=0) <= 0).all()


@given(SHAPES, st.floats(0.0001, 1))
def test_erk_densities_sum_up_and_keep_to_their_bounds(shapes, density):
    sizes = np.array([np.prod(shape) for shape in shapes])
    found = erk_densities(shapes, density)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()
    assert found @ sizes == pytest.approx(density * sizes.sum(), rel=1e-9)
    bounded = erk_densities(shapes, density, 0.4)
    assert (bounded >= 0.4).all()
    assert bounded @ sizes == pytest.approx(max(density, 0.4) * sizes.sum(), rel=1e-9)


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
        kept = masks(weights, 0.2, scope)
        assert [one.sum() for one in kept.values()] == expected, scope
    halfway = masks(weights, 0.2, {"a": 0.5}, share=0.5)
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
        masks({"dense/kernel": np.ones(4)}, 0.5, scope)


def test_named_with_groups():
    with pytest.raises(ValueError, match=r"at most 0.5, .* for 'a'. Received: sparsity=0.6"):
        masks({"a": np.ones((4, 4)), "b": np.ones((4, 4))}, 0.3, {"a": 0.6}, "2:4")


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3))
def test_dense_ends(number, first, last):
    weights = kernels([(10, 10)] * number)
    kept = list(masks(weights, 0.7, DenseEnds("global", first, last)).values())
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
    assert again == type(scope).from_config(scope.get_config()) == scope == as_scope(scope)
    assert hash(again) == hash(scope)
    assert [other for other in SCOPES if other == scope] == [scope]


def test_names_of_scopes():
    found = [as_scope(name) for name in ("layer", "GLOBAL", "erk", "dense_ends")]
    assert found == [PerLayer(), Global(), Erk(), DenseEnds()]
