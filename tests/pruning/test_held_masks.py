"""Masks are written by groups."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning.enforcement import held_masks
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.selection import select


def fakes(sizes):
    return [SimpleNamespace(variable=SimpleNamespace(shape=(size, 1))) for size in sizes]


@given(st.lists(st.integers(0, 9), max_size=12))
def test_groups_are_neighbours_and_no_larger_than_allowed(sizes):
    masks = fakes(sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_masks, "_AT_ONCE", 5)
        groups = held_masks.grouped(masks)
    assert [one for group in groups for one in group] == masks
    for group in groups:
        assert group
        assert sum(one.variable.shape[0] for one in group) <= max(5, *sizes)


@pytest.mark.parametrize("at_once", [0, 200, 10_000])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_every_mask_arrives_at_its_kernel(monkeypatch, at_once, dtype):
    monkeypatch.setattr(held_masks, "_AT_ONCE", at_once)
    widths = (12, 10, 9, 7, 1)
    layers = [keras.layers.Dense(width, dtype=dtype) for width in widths]
    model = keras.Sequential([keras.Input((11,)), *layers])
    masks = Masks(model, select(model))
    rng = np.random.default_rng(0)
    for _ in range(2):  # the second time the functions are compiled
        for layer in layers:
            layer.kernel.assign(-np.ones(layer.kernel.shape))
        kept = [rng.random(tuple(layer.kernel.shape)) < 0.5 for layer in layers]
        masks.set(kept)
        for layer, one, held in zip(layers, kept, masks.to_arrays().values(), strict=True):
            weights = keras.ops.convert_to_numpy(layer.kernel).astype(float)
            np.testing.assert_array_equal(held, one)
            np.testing.assert_array_equal(weights, np.where(one, -1.0, 0.0))
            assert not np.signbit(weights[~one]).any()
