"""Residual branches that are dropped."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt.layers import StochasticDepth


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_samples_are_dropped_whole_and_on_their_own(rate):
    count = 4000
    x = np.random.default_rng(0).uniform(1, 2, (count, 3, 2)).astype("float32")
    y = np.array(StochasticDepth(rate, seed=1)(x, training=True))
    gone = (y == 0).reshape(count, -1)
    assert np.all(gone.all(axis=1) == gone.any(axis=1))
    kept = ~gone[:, 0]
    # One rounding of the quotient.
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=2e-7)
    # Five standard errors of a binomial share.
    assert abs(gone[:, 0].mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / count)


def test_a_batch_is_dropped_whole():
    layer = StochasticDepth(0.3, mode="batch", seed=1)
    x = np.ones((16, 5), "float32")
    batches = [np.array(layer(x, training=True)) for _ in range(200)]
    assert all(np.ptp(batch) == 0 for batch in batches)
    share = np.mean([batch[0, 0] == 0 for batch in batches])
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 200)  # five standard errors
    assert max(batch[0, 0] for batch in batches) == np.float32(1) / np.float32(0.7)


def test_gradient_is_that_of_what_was_kept():
    x = tf.random.normal((32, 4))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = StochasticDepth(0.5, seed=1)(x, training=True)
    gradient = np.array(tape.gradient(y, x))
    np.testing.assert_array_equal(gradient, np.where(np.equal(y, 0), 0.0, 2.0))
    assert set(gradient[:, 0]) == {0.0, 2.0}


@pytest.mark.parametrize("mode", ["sample", "batch"])
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 2, 3, 2, 2)])
def test_any_rank_and_an_unknown_batch(mode, jit, shape):
    layer, traces = StochasticDepth(0.5, mode=mode, seed=1), []

    @tf.function(jit_compile=jit, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    def run(x):
        traces.append(1)
        return layer(x, training=True)

    for size in [5, 9]:
        y = run(np.ones((size, *shape[1:]), "float32"))
        assert y.shape == (size, *shape[1:])
        assert set(np.unique(y)) <= {0.0, 2.0}
    assert len(traces) == 1


def test_a_dropped_branch_gets_no_gradient():
    x = keras.Input((4,))
    branch = layers.Dense(4, name="branch")(x)
    model = keras.Model(x, layers.add([x, StochasticDepth(0.9, mode="batch", seed=1)(branch)]))
    inputs = np.ones((2, 4), "float32")
    for _ in range(20):
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
        gradient = tape.gradient(outputs, model.get_layer("branch").kernel.value)
        gone = np.array_equal(outputs, inputs)
        # Two samples of ones, divided by 1 - rate where the branch is kept.
        np.testing.assert_allclose(gradient, np.full((4, 4), 0.0 if gone else 20.0), rtol=1e-5)
        if gone:
            return
    pytest.fail("a branch with rate 0.9 was never dropped")


@pytest.mark.parametrize("mode", ["samples", None, 1])
def test_a_wrong_mode(mode):
    with pytest.raises(ValueError, match=r"`mode`. Expected one of \['sample', 'batch'\]"):
        StochasticDepth(0.5, mode=mode)
