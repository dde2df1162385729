"""Dropout whose rate is a weight."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kerasopt.layers import ScheduledDropout

ONES = np.ones((200, 500), "float32")


def dropped(layer, x=ONES):
    return np.mean(np.equal(layer(x, training=True), 0))


def five_errors(rate, count):
    """Give five standard errors of the share of `count` numbers that are dropped."""
    return 5 * np.sqrt(rate * (1 - rate) / count)


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.5, 0.9])
def test_share_mean_and_variance(rate):
    y = np.array(ScheduledDropout(rate, seed=1)(ONES, training=True))
    share = np.mean(y == 0)
    assert abs(share - rate) < five_errors(rate, y.size)
    kept = np.float32(1) - np.float32(rate)
    np.testing.assert_array_equal(y[y != 0], np.float32(1) / kept)
    # Both follow from the share alone, as a number is 0 or 1 / (1 - rate).
    assert y.mean() == pytest.approx((1 - share) / (1 - rate), rel=1e-5)
    assert y.var() == pytest.approx(share * (1 - share) / (1 - rate) ** 2, rel=1e-4)


def test_the_present_rate_counts_and_not_the_first():
    layer = ScheduledDropout(0.5, seed=1)
    layer.rate.assign(0.2)  # before the layer is built
    assert abs(dropped(layer) - 0.2) < five_errors(0.2, ONES.size)
    layer.rate = 0.7
    assert float(layer.rate) == pytest.approx(0.7)
    assert abs(dropped(layer) - 0.7) < five_errors(0.7, ONES.size)
    assert layer.get_config()["rate"] == 0.5
    assert [w.name for w in layer.weights] == ["rate"]
    assert layer.trainable_weights == []
    with pytest.raises(ValueError, match="`rate`"):
        layer.rate = 1.5


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "float16"])
def test_a_rate_of_one_drops_everything_and_no_gradient_is_nan(policy):
    layer = ScheduledDropout(0.5, dtype=policy)
    layer.rate.assign(1.0)
    x = tf.ones((4, 4))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    assert np.all(np.equal(y, 0))
    np.testing.assert_array_equal(tape.gradient(y, x), np.zeros((4, 4)))


def test_half_precision_drops_the_share_asked_for():
    layer = ScheduledDropout(0.0003, seed=1, dtype="float16")
    x = np.ones((1000, 2000), "float16")
    # Numbers drawn in float16 would be multiples of 1/1024: 0 or 0.001 would be dropped.
    assert abs(dropped(layer, x) - 0.0003) < five_errors(0.0003, x.size)
    layer = ScheduledDropout(0.3, dtype="mixed_float16")
    assert layer.rate.dtype == "float32"
    assert layer(x[:2], training=True).dtype == "float16"


def test_gradient_is_that_of_what_was_kept():
    x = tf.random.normal((16, 16))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = ScheduledDropout(0.5, seed=1)(x, training=True)
    np.testing.assert_array_equal(tape.gradient(y, x), np.where(np.equal(y, 0), 0.0, 2.0))


def test_noise_shape():
    x = np.ones((8, 5, 40), "float32")
    y = np.array(ScheduledDropout(0.5, noise_shape=(None, 1, 40), seed=1)(x, training=True))
    assert np.ptp(y, axis=1).max() == 0
    assert np.ptp(y, axis=0).max() == np.ptp(y, axis=2).max() == 2
    whole = np.array(ScheduledDropout(0.5, noise_shape=(1, 1, 1), seed=1)(x, training=True))
    assert np.ptp(whole) == 0


@pytest.mark.parametrize("rank", [1, 2, 3, 5])
def test_any_rank(rank):
    y = ScheduledDropout(0.5, seed=1)(np.ones((7,) * rank, "float32"), training=True)
    assert set(np.unique(y)) <= {0.0, 2.0}


def share_of_zeros(traces):
    def loss(_, outputs):
        traces.append(1)  # Python runs this when the step is traced, and never again
        return ops.mean(ops.cast(ops.equal(outputs, 0.0), "float32"), axis=-1)

    return loss


def with_dropout():
    x = keras.Input((500,))
    return keras.Model(x, ScheduledDropout(0.5, seed=1, name="dropout")(x))


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize(
    "way", [{}, {"jit_compile": True}, {"steps_per_execution": 4}, {"policy": "mixed_float16"}]
)
def test_a_new_rate_is_followed_without_a_new_trace(way):
    keras.config.set_dtype_policy(way.pop("policy", "float32"))
    model, traces, rates = with_dropout(), [], [0.5, 0.3, 0.0, 0.9]
    model.compile("sgd", share_of_zeros(traces), **way)
    layer = model.get_layer("dropout")
    assign = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: layer.rate.assign(rates[epoch])
    )
    count = len(traces)
    history = model.fit(ONES, ONES, batch_size=50, epochs=4, verbose=0, callbacks=[assign]).history[
        "loss"
    ]
    assert len(traces) - count == 1
    for share, rate in zip(history, rates, strict=True):
        # The mean of float32 numbers is rounded.
        assert abs(share - rate) < five_errors(rate, ONES.size) + 1e-6


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_every_replica_sees_a_new_rate(mirrored):
    with mirrored.scope():
        model = with_dropout()
        model.compile("sgd", share_of_zeros([]))
    for rate in [0.5, 0.2]:
        model.get_layer("dropout").rate.assign(rate)
        share = model.fit(ONES, ONES, batch_size=100, verbose=0).history["loss"][0]
        # Both replicas draw from the same seed: half as many numbers are independent.
        assert abs(share - rate) < five_errors(rate, ONES.size / 2) + 1e-6


@pytest.mark.parametrize("noise", ["abc", 3, 1.5, (1.5,), ("1",), (True, 1)])
def test_noise_shape_of_the_wrong_type(noise):
    with pytest.raises(TypeError, match="`noise_shape`"):
        ScheduledDropout(0.5, noise_shape=noise)


@pytest.mark.parametrize("noise", [(0, 1), (-1,)])
def test_noise_shape_out_of_range(noise):
    with pytest.raises(ValueError, match="`noise_shape`.*>= 1"):
        ScheduledDropout(0.5, noise_shape=noise)


@pytest.mark.parametrize("noise", [(1,), (None, 3), (None, 1, 1), (2, None)])
def test_noise_shape_that_does_not_fit(noise):
    with pytest.raises(ValueError, match=r"`noise_shape`.*\(4, 8\)"):
        ScheduledDropout(0.5, noise_shape=noise)(np.ones((4, 8), "float32"))
