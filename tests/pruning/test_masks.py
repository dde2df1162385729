"""Criterion x pattern x scope: what holds for every combination."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning import Context, mask, masks
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.scopes.scope import number_kept
from tests.conftest import examples

PATTERNS = ["weight", "2:4", "block_2x3", "channel"]
SCOPES = ["layer", "global", "erk", "dense_ends", {"a": 0.25}]


def kernels(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"a": (12, 6), "b": (3, 3, 4, 8), "c": (8, 2), "d": (5, 1)}
    return {name: rng.normal(size=shape).astype("f4") for name, shape in shapes.items()}


def units_left(kept, pattern):
    """Count the units that are left, and assert that each is there or gone as a whole."""
    pattern = get_pattern(pattern)
    shares = pattern.units(kept.astype(float))
    assert set(np.unique(shares)) <= {0.0, 1.0}
    return int(shares.sum())


@given(st.sampled_from(PATTERNS), st.integers(0, 99), st.floats(0, 0.9999))
def test_each_layer_is_exact(pattern, seed, sparsity):
    weights = kernels(seed)
    if pattern == "2:4":
        sparsity /= 2
    for name, kept in masks(weights, sparsity, scope="layer", pattern=pattern).items():
        units = get_pattern(pattern).units(weights[name]).size
        least = 3 * kept.shape[-1] if (pattern, name) == ("2:4", "d") else 1  # 2 of 4, 1 of 1
        assert units_left(kept, pattern) == max(number_kept(units, sparsity), least)
        assert (kept.shape, kept.dtype) == (weights[name].shape, bool)


@pytest.mark.parametrize("scope", SCOPES, ids=str)
@pytest.mark.parametrize("pattern", PATTERNS)
@examples(10)
@given(seed=st.integers(0, 99))
def test_masks_along_a_rising_schedule(pattern, scope, seed):
    weights = kernels(seed)
    before = {name: np.ones(array.shape, bool) for name, array in weights.items()}
    for step in (0.0, 0.3, 0.3, *np.linspace(0.35, 1, 8)):
        top = 0.5 if pattern == "2:4" else 0.97
        chosen = masks(weights, step * top, scope=scope, pattern=pattern, share=step)
        for name, kept in chosen.items():
            assert not (kept & ~before[name]).any()
            assert kept.any()
            weights[name] = weights[name] * kept
        before = chosen


def test_arguments_stay_as_they_are():
    weights, copies = kernels(), kernels()
    norms = {name: Context(input_norm=abs(array)) for name, array in kernels().items()}
    for pattern in PATTERNS:
        for scope in SCOPES:
            for criterion in ("magnitude", "lamp", "random", "wanda"):
                chosen = masks(
                    weights, 0.4, scope=scope, pattern=pattern, criterion=criterion, contexts=norms
                )
                assert all(kept.flags.writeable for kept in chosen.values())
    assert all(np.array_equal(weights[name], copies[name]) for name in weights)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "g", ">f4", "i1", "u2", "i8", ml_dtypes.bfloat16, "float8_e4m3fn"]
)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("scope", ["layer", "global", "erk"])
def test_number_types(dtype, pattern, scope):
    whole = np.random.default_rng(0).permutation(16 * 3).reshape(16, 3) % 16
    if isinstance(dtype, str) and dtype.startswith("float8"):
        dtype = getattr(ml_dtypes, dtype)
    chosen = masks({"a": whole.astype(dtype)}, 0.5, scope=scope, pattern=pattern)["a"]
    assert np.array_equal(
        chosen, masks({"a": whole.astype("f8")}, 0.5, scope=scope, pattern=pattern)["a"]
    )


def test_long_doubles_are_told_apart():
    assert mask(np.array([1 + 1e-12, 1], np.longdouble), 0.5).tolist() == [True, False]
    assert mask(np.array([1, 1 + 1e-12], np.longdouble), 0.5).tolist() == [False, True]


def test_kernels_of_different_precision_compete_exactly():
    one = np.float32(0.1)
    kept = masks({"a": np.array([5, one], "f4"), "b": np.array([5, float(one) + 1e-12])}, 0.25,
                 scope="global")  # fmt: skip
    assert [array.tolist() for array in kept.values()] == [[True, False], [True, True]]


@pytest.mark.parametrize("order", ["F", "strided", "reversed"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_any_order_of_memory(order, pattern):
    plain = kernels()["b"]
    array = {
        "F": np.asfortranarray(plain),
        "strided": np.repeat(plain, 2, axis=1)[:, ::2],
        "reversed": np.ascontiguousarray(plain[::-1])[::-1],
    }[order]
    for scope in ("layer", "global"):
        found = masks({"b": array}, 0.4, scope=scope, pattern=pattern)["b"]
        assert np.array_equal(found, masks({"b": plain}, 0.4, scope=scope, pattern=pattern)["b"])


@pytest.mark.parametrize("scope", ["layer", "global", "erk"])
@pytest.mark.parametrize("zeros", [0.0, 0.8])
def test_a_million_beside_one(scope, zeros):
    rng = np.random.default_rng(0)
    large = rng.normal(size=(1000, 1000)).astype("f4")
    large[rng.random(large.shape) < zeros] = 0
    weights = {"large": large, "one": np.zeros((1, 1)), "small": rng.normal(size=(7, 3))}
    for sparsity in (0.3, 0.5, 0.8):
        kept = masks(weights, sparsity, scope=scope)
        if scope == "layer":
            assert kept["large"].sum() == number_kept(10**6, sparsity)
        else:
            assert sum(k.sum() for k in kept.values()) == number_kept(10**6 + 22, sparsity)
        sizes = abs(large)
        assert sizes[kept["large"]].min() >= sizes[~kept["large"]].max()
        assert kept["one"].all()
    halves = (
        masks(weights, 0.5, scope=scope, pattern="2:4")["large"].reshape(-1, 4, 1000).sum(axis=1)
    )
    assert (halves == 2).all()


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_no_kernels_and_empty_ones(scope):
    if isinstance(scope, dict):
        scope = {}
    assert masks({}, 0.5, scope=scope) == {}
    for pattern in PATTERNS:
        weights = {"a": np.zeros((0, 4)), "b": np.arange(8.0).reshape(4, 2), "c": np.zeros((3, 0))}
        kept = masks(weights, 0.5, scope=scope, pattern=pattern)
        assert [k.shape for k in kept.values()] == [(0, 4), (4, 2), (3, 0)]
        assert kept["b"].any()


def test_no_kernels_but_a_name():
    with pytest.raises(ValueError, match="names that match a kernel"):
        masks({}, 0.5, scope={"a": 0.5})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_last_kernel_may_spoil_it(bad):
    for scope in SCOPES:
        with pytest.raises(ValueError, match="z cannot be pruned: 1 of 2"):
            masks({**kernels(), "z": [1.0, bad]}, 0.5, scope=scope)


def test_a_pattern_for_each():
    weights = {"a": np.arange(8.0).reshape(4, 2), "b": np.arange(8.0).reshape(4, 2)}
    kept = masks(weights, 0.5, pattern={"a": "2:4", "b": "channel", "c": "weight"})
    assert kept["a"].tolist() == [[0, 0], [0, 0], [1, 1], [1, 1]]
    assert kept["b"].tolist() == [[0, 1]] * 4
    with pytest.raises(ValueError, match="`pattern`. Expected a pattern for every array.* Add 'b'"):
        masks(weights, 0.5, pattern={"a": "2:4"})


@pytest.mark.parametrize("weights", [None, [np.ones(3)], np.ones(3)])
def test_what_is_no_dict(weights):
    with pytest.raises(TypeError, match="`weights`. Expected a dict of name -> array"):
        masks(weights, 0.5)


@pytest.mark.parametrize(
    ("array", "error"), [("x", TypeError), ([True], TypeError), ([[1.0], [1.0, 2.0]], ValueError)]
)
def test_what_is_no_array_names_the_kernel(array, error):
    with pytest.raises(error, match="`b/kernel`"):
        masks({"a/kernel": np.ones(3), "b/kernel": array}, 0.5)


@pytest.mark.parametrize("scope", SCOPES, ids=str)
@pytest.mark.parametrize("sparsity", [1.0, -0.1, float("nan"), "0.5", None, True])
def test_wrong_sparsities(scope, sparsity):
    with pytest.raises((TypeError, ValueError), match=r"`sparsity`. Expected a float in \[0, 1\)"):
        masks({"a": np.ones(3)}, sparsity, scope=scope)
