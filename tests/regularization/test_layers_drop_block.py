"""Blocks that are dropped from feature maps."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from kerasopt.layers import DropBlock2D
from tests.conftest import examples


class Recorded(DropBlock2D):
    """Keeps the numbers that it drew."""

    def _uniform(self, shape):
        self.drawn = super()._uniform(shape)
        return self.drawn


def reference(drawn, rate, block, height, width):
    """Give what is kept, block by block, from the numbers that were drawn."""
    high, wide = min(block[0], height), min(block[1], width)
    places = (height - high + 1, width - wide + 1)
    assert drawn.shape[1:3] == places
    gamma = rate / (high * wide) * (height * width) / (places[0] * places[1])
    assume(np.abs(drawn - gamma).min() > 1e-6)  # else float32 may decide otherwise
    kept = np.ones((drawn.shape[0], height, width, drawn.shape[3]))
    for n, i, j, c in np.argwhere(drawn < gamma):
        kept[n, i : i + high, j : j + wide, c] = 0
    return kept


@given(
    rate=st.floats(0.0, 0.95),
    block=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    data_format=st.sampled_from(["channels_last", "channels_first"]),
    seed=st.integers(0, 1000),
)
@examples(60)
def test_blocks_are_those_of_the_reference(rate, block, height, width, data_format, seed):
    layer = Recorded(rate, block, data_format, seed)
    x = np.random.default_rng(seed).uniform(1, 2, (2, height, width, 3)).astype("float32")
    if data_format == "channels_first":
        y = np.array(layer(np.moveaxis(x, 3, 1), training=True))
        y = np.moveaxis(y, 1, 3)
    else:
        y = np.array(layer(x, training=True))
    if rate == 0.0:
        np.testing.assert_array_equal(y, x)
        return
    kept = reference(np.array(layer.drawn), rate, block, height, width)
    factor = kept.size / max(kept.sum(), 1)
    # A mean, a division and a product, each rounded to float32.
    np.testing.assert_allclose(y, x * kept * factor, rtol=1e-6)


@pytest.mark.parametrize(("rate", "size", "block"), [(0.1, 28, 7), (0.5, 28, 7), (0.3, 12, 4)])
def test_the_share_dropped(rate, size, block):
    maps = np.ones((100, size, size, 20), "float32")
    y = np.array(DropBlock2D(rate, block, seed=1)(maps, training=True))
    assert y.mean(dtype="float64") == pytest.approx(1.0, abs=1e-6)  # rounded to float32
    # A number stays where none of the corners that would cover it is drawn.
    gamma = rate * size**2 / (block * (size - block + 1)) ** 2
    i = np.arange(size)
    covering = np.minimum(i, size - block) - np.maximum(i - block + 1, 0) + 1
    expected = np.mean(1 - (1 - gamma) ** np.outer(covering, covering))
    shares = np.mean(y == 0, axis=(1, 2)).ravel()
    # Five standard errors; maps are independent, the numbers in one are not.
    assert abs(shares.mean() - expected) < 5 * shares.std() / np.sqrt(shares.size)
    assert expected < rate


def test_channels_and_samples_have_blocks_of_their_own():
    y = np.array(DropBlock2D(0.3, 3, seed=1)(np.ones((4, 12, 12, 4), "float32"), training=True))
    maps = np.moveaxis(y, 3, 1).reshape(16, -1)
    assert len(np.unique(maps, axis=0)) == 16


def test_one_by_one_is_plain_dropout():
    y = np.array(DropBlock2D(0.3, 1, seed=1)(np.ones((10, 50, 50, 4), "float32"), training=True))
    # Five standard errors of a binomial share.
    assert abs(np.mean(y == 0) - 0.3) < 5 * np.sqrt(0.3 * 0.7 / y.size)


def test_where_everything_is_dropped_nothing_is_nan():
    layer, empty = DropBlock2D(0.9, 3, seed=1), 0
    x = tf.ones((1, 3, 3, 1))
    for _ in range(10):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        gradient = tape.gradient(y, x)
        assert np.isfinite(y).all()
        np.testing.assert_array_equal(gradient, y)
        empty += not np.any(y)
    assert empty


def test_gradient_is_that_of_what_was_kept():
    x = tf.random.normal((2, 8, 8, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = DropBlock2D(0.4, 3, seed=1)(x, training=True)
    factor = np.size(y) / np.count_nonzero(y)
    # A mean, a division and a product, each rounded to float32.
    expected = np.where(np.equal(y, 0), 0.0, factor)
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sizes_that_are_not_known_when_the_graph_is_made(data_format, jit):
    layer, traces = DropBlock2D(0.5, (3, 4), data_format, seed=1), []
    first = data_format == "channels_first"
    spec = (None, 2, None, None) if first else (None, None, None, 2)

    @tf.function(jit_compile=jit, input_signature=[tf.TensorSpec(spec)])
    def run(x):
        traces.append(1)
        return layer(x, training=True), layer(x)

    # The second is lower than a block, the third smaller than one.
    for height, width in [(8, 9), (2, 9), (2, 3)]:
        shape = (6, 2, height, width) if first else (6, height, width, 2)
        x = np.ones(shape, "float32")
        y, same = run(x)
        assert y.shape == shape
        np.testing.assert_array_equal(same, x)
        assert np.mean(y) == pytest.approx(1.0, abs=1e-6)  # rounded to float32
        maps = np.array(y) == 0 if first else np.moveaxis(np.array(y) == 0, 3, 1)
        assert maps.any()
        assert not maps.all()
        if height == 2:
            assert np.all(maps.all(axis=2) == maps.any(axis=2))
        if width == 3:
            assert np.all(maps.all(axis=3) == maps.any(axis=3))
    assert len(traces) == 1


def test_half_precision():
    layer = DropBlock2D(0.4, 3, seed=1, dtype="float16")
    y = layer(np.ones((4, 12, 12, 4), "float16"), training=True)
    assert y.dtype == "float16"
    same = DropBlock2D(0.4, 3, seed=1)(np.ones((4, 12, 12, 4), "float32"), training=True)
    np.testing.assert_array_equal(y, np.array(same, "float16"))


def test_a_mask_passes_through():
    x = tf.ones((2, 6, 6, 1))
    x._keras_mask = tf.ones((2, 6), "bool")
    assert DropBlock2D(0.5)(x, training=True)._keras_mask is x._keras_mask


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3), (2, 3, 3, 3, 3)])
def test_an_input_that_is_no_batch_of_maps(shape):
    with pytest.raises(ValueError, match="four axes.*batch, height, width, channels"):
        DropBlock2D(0.5)(np.ones(shape, "float32"))
    with pytest.raises(ValueError, match="batch, channels, height, width"):
        DropBlock2D(0.5, data_format="channels_first").build(shape)
    layer = DropBlock2D(0.5)
    layer.build((None, 3, 3, 3))
    with pytest.raises(ValueError, match="ndim=4"):
        layer(np.ones(shape, "float32"))


def test_wrong_arguments():
    for size in [0, -1, (3, 0)]:
        with pytest.raises(ValueError, match="`block_size`.*>= 1"):
            DropBlock2D(0.5, block_size=size)
    for size in [2.5, "3", None, (3,), (1, 2, 3), (3, 1.5)]:
        with pytest.raises(TypeError, match="`block_size`"):
            DropBlock2D(0.5, block_size=size)
    with pytest.raises(ValueError, match="`data_format`.*Did you mean 'channels_last'"):
        DropBlock2D(0.5, data_format="channel_last")
