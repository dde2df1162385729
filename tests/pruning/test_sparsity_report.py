"""The pattern that zeros have."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.pruning import mask, prune, sparsity
from kerasopt.pruning.report.sparsity import found_pattern

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("pattern", "share", "found"),
    [
        ("weight", 0.5, "weight"),
        ("2:4", 0.5, "2:4"),
        ("1:4", 0.75, "1:4"),
        ("1:2", 0.5, "1:2"),
        ("4:8", 0.5, "4:8"),
        ("block_4x4", 0.5, "block 4x4"),
        ("block_8x1", 0.6, "block 8x1"),
        ("channel", 0.5, "channel"),
        ("weight", 0.0, "dense"),
    ],
)
@pytest.mark.parametrize("shape", [(32, 64), (3, 3, 32, 64)])
def test_what_a_pattern_made_is_found(pattern, share, found, shape):
    weights = RNG.normal(size=shape)
    assert found_pattern(weights * mask(weights, share, pattern=pattern)) == found


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95, 0.99])
def test_very_sparse_single_weights_are_no_groups(share):
    weights = np.random.default_rng(1).normal(size=(32, 16))
    assert found_pattern(weights * mask(weights, share)) == "weight"


def test_channels_of_a_depthwise_kernel():
    weights = RNG.normal(size=(3, 3, 8, 1))
    weights[:, :, 2] = 0
    assert found_pattern(weights, channel_axis=-2) == "channel"
    assert found_pattern(weights) != "channel"


@given(
    rows=st.integers(1, 40), columns=st.integers(1, 20), seed=st.integers(0, 99),
    share=st.floats(0.0, 0.95),
)  # fmt: skip
def test_any_kernel_has_one(rows, columns, seed, share):
    weights = np.random.default_rng(seed).normal(size=(rows, columns))
    weights[np.random.default_rng(seed + 1).random((rows, columns)) < share] = 0
    found = found_pattern(weights)
    assert (found == "dense") == bool((weights != 0).all())
    if ":" in found:
        n, m = map(int, found.split(":"))
        for column in (weights != 0).T:
            assert max(column[i : i + m].sum() for i in range(0, rows, m)) <= n


def test_empty_and_flat():
    assert found_pattern(np.zeros((0, 3))) == "dense"
    assert found_pattern(np.array([1.0, 0.0])) == "1:2"
    assert found_pattern(np.zeros((4, 4))) == "channel"


def test_the_table_shows_it():
    model = keras.Sequential(
        [keras.Input((16,)), layers.Dense(16, name="a"), layers.Dense(8, name="b")]
    )
    prune(model, 0.5, pattern="2:4", include="a")
    assert [row.pattern for row in sparsity(model).rows] == ["2:4", "dense"]
    assert "16 x 16" in str(sparsity(model))
    assert "2:4" in str(sparsity(model))
    assert sparsity(model).to_dict()["rows"][0]["pattern"] == "2:4"
