"""What the layers that drop have in common."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.layers import DropBlock2D, DropConnect, ScheduledDropout, StochasticDepth
from tests.conftest import examples

POLICIES = ["float32", "mixed_float16", "float16", "mixed_bfloat16", "float64"]


def drop_connect(rate, **arguments):
    return DropConnect(layers.Conv2D(4, 3, padding="same"), rate, **arguments)


def small_blocks(rate, **arguments):
    return DropBlock2D(rate, block_size=2, **arguments)


PLAIN = [ScheduledDropout, StochasticDepth, small_blocks]
ALL = [*PLAIN, drop_connect]


def maps(size=8):
    return np.random.default_rng(0).normal(size=(size, 6, 6, 4)).astype("float32")


def everything(rate=0.25):
    """Give a model with one of each layer and nothing known of the height and width."""
    convolution = layers.Conv2D(8, 3, padding="same", kernel_constraint="non_neg", name="c")
    x = keras.Input((None, None, 3))
    y = DropConnect(convolution, rate, seed=1, name="weights")(x)
    y = DropBlock2D(rate, block_size=3, seed=2, name="blocks")(y)
    branch = layers.Conv2D(8, 3, padding="same", activation="relu")(y)
    y = layers.add([y, StochasticDepth(rate, seed=3, name="depth")(branch)])
    y = layers.GlobalAveragePooling2D()(y)
    y = ScheduledDropout(rate, seed=4, name="dropout")(y)
    return keras.Model(x, layers.Dense(3, dtype="float32")(y))


def images():
    """Give 64 images whose class is their brightest channel."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 64)
    return (rng.random((64, 6, 6, 3)) + 2 * np.eye(3)[labels][:, None, None]).astype(
        "float32"
    ), labels


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("make", PLAIN)
def test_inference_and_a_rate_of_zero_change_nothing(make, policy):
    x = maps()
    x[0, 0, 0] = [np.nan, np.inf, -np.inf, -0.0]
    for layer, training in [(make(0.5, dtype=policy), False), (make(0.0, dtype=policy), True)]:
        y = layer(x, training=training)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        expected = np.array(keras.ops.cast(x, y.dtype), "float32")
        # NumPy does not know a NaN in bfloat16.
        np.testing.assert_array_equal(np.array(y, "float32"), expected)
        np.testing.assert_array_equal(np.signbit(y), np.signbit(x))


@pytest.mark.parametrize("make", ALL)
def test_equal_seeds_give_equal_numbers(make):
    if make is drop_connect:
        layer = layers.Conv2D(4, 3, padding="same")
        layer.build((None, 6, 6, 4))

        def make(rate, **arguments):
            return DropConnect(layer, rate, **arguments)

    x = np.ones((8, 6, 6, 4), "float32")
    one, same, other = make(0.5, seed=3), make(0.5, seed=3), make(0.5, seed=4)
    first, second = one(x, training=True), one(x, training=True)
    assert not np.array_equal(first, second)  # drawn anew in each call
    np.testing.assert_array_equal(first, same(x, training=True))
    np.testing.assert_array_equal(second, same(x, training=True))
    assert not np.array_equal(first, other(x, training=True))
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        drawn.append(np.array(make(0.5)(x, training=True)))
    np.testing.assert_array_equal(*drawn)


@given(
    rate=st.floats(0.0, 0.9),
    shape=st.tuples(st.integers(1, 3), *[st.integers(1, 9)] * 2, st.integers(1, 3)),
    make=st.sampled_from(PLAIN),
    policy=st.sampled_from(POLICIES),
)
@examples(40)
def test_each_number_is_dropped_or_divided(rate, shape, make, policy):
    layer = make(rate, dtype=policy)
    x = np.random.default_rng(0).uniform(1, 2, shape)
    y = np.array(layer(x, training=True), "float64")
    assert y.shape == shape == layer.compute_output_shape(shape)
    quotients = (y / x)[y != 0]
    if quotients.size:
        # At most four roundings, as of the input and the quotient, by one part in 2 ** bits each;
        # and the rate is rounded to float32 before it is taken from 1.
        bits = 24 if policy in ("float32", "float64") else 8 if "bfloat16" in policy else 11
        tolerance = 4 * 2.0**-bits + 2.0**-25 / (1 - rate)
        factor = y.size / quotients.size if make is small_blocks else 1 / (1 - rate)
        np.testing.assert_allclose(quotients, factor, rtol=tolerance)


@pytest.mark.parametrize(
    "way",
    [{}, {"jit_compile": True}, {"steps_per_execution": 4}, {"policy": "mixed_float16"}],
    ids=str,
)
def test_a_model_learns(way):
    policy = way.pop("policy", "float32")
    keras.config.set_dtype_policy(policy)
    model = everything(0.1)
    assert model.get_layer("dropout").rate.dtype == "float32"
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", **way)
    model.layers[-1].activation = keras.activations.softmax
    x, y = images()
    history = model.fit(x, y, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert model.evaluate(x, y, verbose=0) < 0.8 * history[0]
    # The wrapped layer's constraint is applied as without the wrapper.
    assert np.min(model.get_layer("weights").layer.kernel) >= 0.0
    assert model.get_layer("dropout").rate.numpy() == np.float32(0.1)


def test_a_model_learns_on_two_replicas(mirrored):
    with mirrored.scope():
        model = everything(0.1)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss)
    x, y = images()
    history = model.fit(x, y, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert model.evaluate(x, y, verbose=0) < 0.9 * history[0]


def test_a_model_is_saved_and_made_again(tmp_path):
    model = everything()
    model.get_layer("dropout").rate.assign(0.75)
    x, _ = images()
    expected = model.predict(x, verbose=0)

    def same(other, rate):
        np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
        assert float(other.get_layer("dropout").rate) == rate
        assert json.dumps(other.get_config()) == json.dumps(model.get_config())

    model.save(tmp_path / "model.keras")
    same(keras.saving.load_model(tmp_path / "model.keras"), 0.75)
    model.save_weights(tmp_path / "model.weights.h5")
    for make in [
        lambda: keras.models.clone_model(model),
        lambda: keras.Model.from_config(model.get_config()),
        everything,
    ]:
        fresh = make()
        assert float(fresh.get_layer("dropout").rate) == 0.25
        for name in ["weights", "blocks", "depth", "dropout"]:
            assert fresh.get_layer(name).get_config() == model.get_layer(name).get_config()
        fresh.load_weights(tmp_path / "model.weights.h5")
        fresh.get_layer("dropout").rate = 0.5
        fresh.load_weights(tmp_path / "model.weights.h5")
        np.testing.assert_array_equal(fresh.predict(x, verbose=0), expected)
        assert float(fresh.get_layer("dropout").rate) == 0.75


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (ScheduledDropout(0.25), {"rate": 0.25, "noise_shape": None, "seed": None}),
        (
            ScheduledDropout(np.float64(0.25), noise_shape=[None, 1], seed=np.int64(3)),
            {"rate": 0.25, "noise_shape": (None, 1), "seed": 3},
        ),
        (StochasticDepth(0.5, "batch", 1), {"rate": 0.5, "mode": "batch", "seed": 1}),
        (
            DropBlock2D(0.5, [3, 2], "channels_first", 1),
            {"rate": 0.5, "block_size": (3, 2), "data_format": "channels_first", "seed": 1},
        ),
        (DropBlock2D(0.0), {"block_size": (7, 7), "data_format": "channels_last", "seed": None}),
    ],
)
def test_the_config_holds_every_argument(layer, arguments):
    config = layer.get_config()
    assert {key: config[key] for key in arguments} == arguments
    assert type(layer).from_config(config).get_config() == config
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == config


@pytest.mark.parametrize(
    "layer",
    [ScheduledDropout(0.5), StochasticDepth(0.5), DropConnect(layers.Dense(4), 0.5)],
)
@pytest.mark.parametrize("training", [False, True])
def test_masks_pass_through(layer, training):
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    x = layers.Embedding(5, 4, mask_zero=True)(words)
    np.testing.assert_array_equal(layer(x, training=training)._keras_mask, words != 0)


def test_a_mask_reaches_what_comes_after_in_a_model():
    x = keras.Input((None,), dtype="int32")
    y = layers.Embedding(5, 4, mask_zero=True)(x)
    y = StochasticDepth(0.5)(DropConnect(layers.Dense(4), 0.5)(ScheduledDropout(0.5)(y)))
    model = keras.Model(x, layers.GlobalAveragePooling1D()(y))
    short, padded = np.array([[1, 2]]), np.array([[1, 2, 0, 0]])
    # The same sum in another order.
    np.testing.assert_allclose(
        model.predict(short, verbose=0), model.predict(padded, verbose=0), rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan"), float("inf")])
def test_a_wrong_rate(make, rate):
    with pytest.raises(ValueError, match=r"`rate`. Expected a float in \[0, 1\). Received: rate="):
        make(rate)


@pytest.mark.parametrize("make", ALL)
def test_arguments_of_the_wrong_type(make):
    for rate in ["0.5", None, True]:
        with pytest.raises(TypeError, match="`rate`"):
            make(rate)
    for seed in [1.5, "1", True]:
        with pytest.raises(TypeError, match="`seed`. Expected an integer >= 0 or None"):
            make(0.5, seed=seed)
    with pytest.raises(ValueError, match="`seed`.*>= 0.*seed=-1"):
        make(0.5, seed=-1)
