"""`reconstruct`: kernels that make up for the channels that go."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.pruning import iterative_shrink, shrink, shrink_plan
from kerasopt.pruning.channels.reconstructing import Moments
from kerasopt.pruning.channels.statistics import reestimate
from kerasopt.selection import walk
from tests.graph import models
from tests.graph.rewriting import shaken
from tests.pruning.channels.exact import assert_close, plan_of
from tests.pruning.channels.kinds import KINDS, image, series, table, volume


def batch(model, size=64):
    rng = np.random.default_rng(1)
    return rng.normal(size=(size, *model.inputs[0].shape[1:])).astype("float32")


def doubled(model):
    """Let each second channel of the first layer be twice the one before."""
    shaken(model)
    first = model.get_layer("first")
    for variable in first.weights:
        value = np.array(variable)
        value[..., 1::2] = 2.0 * value[..., ::2]
        variable.assign(value)
    return model


def seconds(group):
    return np.arange(len(group)) % 2 == 0


def apart(some, others):
    """Give the largest difference of outputs, as a part of the largest output."""
    return float(np.abs(some - others).max() / np.abs(some).max())


def twice(y):
    layer = layers.Dense(8, name="again")
    return layer(layers.AveragePooling1D(2, 1, "same")(y)) + layer(y)


RELU = layers.ReLU
TAKERS = {
    "Dense": lambda: table(layers.Dense(6, name="second")),
    "Dense in time": lambda: series(layers.Dense(6, name="second")),
    "EinsumDense": lambda: series(layers.EinsumDense("btc,cde->btde", (7, 3, 2), name="e")),
    "Conv1D": lambda: series(layers.Conv1D(6, 3, padding="causal", name="second")),
    "Conv2D": lambda: image(RELU(), layers.Conv2D(6, 3, padding="same", name="second")),
    "Conv2D, no bias": lambda: image(layers.Conv2D(6, 3, use_bias=False, name="second")),
    "Conv3D": lambda: volume(layers.Conv3D(6, 2, name="second")),
    "channels first": lambda: image(
        layers.Conv2D(5, 1, data_format="channels_first", name="second"),
        data_format="channels_first",
    ),
    "Conv2DTranspose": lambda: image(layers.Conv2DTranspose(6, 3, strides=2, name="second")),
    "Flatten": lambda: image(RELU()),
    "pooling": lambda: image(layers.MaxPooling2D(), layers.Conv2D(6, 2, name="second")),
    "depthwise": lambda: image(
        layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer="ones", name="deep"),
        layers.Conv2D(6, 1, name="second"),
    ),
    "BatchNormalization": lambda: image(
        layers.BatchNormalization(name="norm"), RELU(), layers.Conv2D(6, 3, name="second")
    ),
    "Concatenate": lambda: image(
        lambda y: layers.Concatenate()([y, layers.AveragePooling2D(3, 1, "same")(y)]),
        layers.Conv2D(6, 1, name="second"),
    ),
    "Concatenate, flattened": lambda: image(
        lambda y: layers.Concatenate()(
            [layers.Flatten()(y), layers.Flatten()(layers.MaxPooling2D()(y))]
        )
    ),
    "LSTM": lambda: series(layers.LSTM(6, return_sequences=True, name="rnn")),
    "GRU": lambda: series(layers.GRU(6, name="rnn")),
    "Bidirectional": lambda: series(layers.Bidirectional(layers.SimpleRNN(6), name="both")),
    "TimeDistributed": lambda: series(layers.TimeDistributed(layers.Dense(6), name="each")),
    "attention": lambda: series(
        lambda y: layers.MultiHeadAttention(2, 3, output_shape=5, name="attend")(y, y)
    ),
    "called twice": lambda: series(twice),
}


@pytest.mark.parametrize("kind", TAKERS)
def test_what_can_be_made_of_the_others_is(kind):
    keras.utils.set_random_seed(0)
    model = doubled(TAKERS[kind]())
    x = batch(model, 512)
    how = {"criterion": seconds, "round_to": 1, "scope": "layer", "include": ["first"], "data": x,
           "batches": 32}  # fmt: skip
    reestimate(model, x, 32)  # its statistics are estimated anew of the smaller one
    before = [np.array(one) for one in model.weights]
    whole = model(x, training=False)
    made = shrink(model, 0.5, reconstruct=True, **how)
    copied = shrink(model, 0.5, **how)
    assert all(one.shape[-1] in (4, 6, 8) for one in made.get_layer("first").get_weights())
    # The ridge, and what is only nearly twice another one (0.05 behind the depthwise kernels).
    assert apart(whole, made(x, training=False)) < 0.06
    assert apart(whole, copied(x, training=False)) > 0.5
    assert all(map(np.array_equal, before, model.weights))


@pytest.mark.parametrize("kind", KINDS)
def test_for_every_kind_of_layer_the_masked_model_gives_the_same(kind):
    model = shaken(KINDS[kind]())
    x = models.batch(model)
    plan = plan_of(model, data=_given(x), reconstruct=True)
    small, masked = plan.apply(), plan.masked()
    for one in (small, masked):  # their statistics are estimated of the smaller model alone
        for layer in _norms(one):
            layer.moving_mean.assign(0.1 + 0.0 * layer.moving_mean)
            layer.moving_variance.assign(1.5 + 0.0 * layer.moving_variance)
    assert_close(models.results(masked, x), models.results(small, x))


def _given(x):
    return [(x,)] if isinstance(x, (list, dict)) else x


def _norms(model):
    return [one for _, one in walk(model) if isinstance(one, layers.BatchNormalization)]


@pytest.mark.parametrize(
    ("between", "taker"),
    [
        (layers.SeparableConv2D(6, 3, name="second"), "second"),
        (layers.Conv2D(6, 3, groups=2, name="second"), "second"),
        (layers.Conv2D(6, 3, name="second", trainable=False), "second"),
    ],
    ids=["separable", "grouped", "not trainable"],
)
def test_what_is_left_alone(between, taker):
    model = shaken(image(between))
    x = batch(model)
    how = {"criterion": seconds, "round_to": 1, "scope": "layer", "include": ["first"]}
    copied = shrink(model, 0.5, data=x, **how).get_layer(taker).get_weights()
    made = shrink(model, 0.5, data=x, reconstruct=True, **how).get_layer(taker).get_weights()
    assert all(map(np.array_equal, copied, made))


def test_a_bias_makes_up_for_a_channel_that_never_changes():
    model = table(layers.Dense(6, name="second"))
    kernel, bias = model.get_layer("first").get_weights()
    kernel[:, 1::2], bias[1::2] = 0.0, 3.0
    model.get_layer("first").set_weights([kernel, bias])
    x = batch(model)
    plan = shrink_plan(
        model, 0.5, criterion=seconds, include=["first"], round_to=1, data=x, reconstruct=True
    )
    np.testing.assert_allclose(plan.apply()(x, training=False), model(x, training=False), atol=1e-4)
    np.testing.assert_allclose(
        plan.masked()(x, training=False), model(x, training=False), atol=1e-4
    )


def test_in_front_of_batch_normalization_means_are_no_matter():
    model = keras.Sequential([
        keras.Input((8, 8, 2)), layers.Conv2D(8, 3, activation="relu", name="first"),
        layers.Conv2D(6, 3, use_bias=False, name="second"), layers.BatchNormalization(name="norm"),
        layers.Flatten(), layers.Dense(3, name="top"),
    ])  # fmt: skip
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., 1::2], bias[1::2] = 0.0, 5.0
    model.get_layer("first").set_weights([kernel, bias])
    x = batch(model)
    how = {"criterion": seconds, "include": ["first"], "round_to": 1}
    small = shrink(model, 0.5, data=x, reconstruct=True, **how)
    kept = np.array(model.get_layer("second").kernel)[:, :, ::2]
    np.testing.assert_allclose(small.get_layer("second").kernel, kept, atol=1e-6)
    model.get_layer("norm").trainable = False  # its statistics stay: the means matter again
    frozen = shrink(model, 0.5, data=x, reconstruct=True, **how)
    assert np.abs(np.array(frozen.get_layer("second").kernel) - kept).max() > 0.01


def test_it_starts_nearer_than_copies():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((10, 10, 1)), layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"), layers.Flatten(), layers.Dense(4),
    ])  # fmt: skip
    shaken(model)
    x = batch(model, 256)
    whole, errors = model(x, training=False), []
    for reconstruct in (False, True):
        small = shrink(model, 0.5, data=x, batches=16, reconstruct=reconstruct)
        errors.append(float(np.mean(np.square(small(x, training=False) - whole))))
    assert errors[1] < 0.5 * errors[0]


def test_channels_that_are_zero_change_nothing():
    model = table(layers.Dense(6, name="second"))
    for name, at in (("first", (slice(None), slice(None, 6))), ("second", slice(None, 6))):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[at] = 0.0
        model.get_layer(name).set_weights([kernel, bias])
    x = batch(model)
    small = shrink(model, "masked", data=x, reconstruct=True)
    assert small.get_layer("first").units == 6
    np.testing.assert_allclose(small(x), model(x), atol=1e-6)


def test_with_iterative_shrink():
    model = table(layers.Dense(32, activation="relu", name="second"), units=32)
    model.compile("sgd", "mse")
    x = batch(model)
    small, done = iterative_shrink(
        model, lambda one: one.fit(x, model(x), verbose=0), {"macs": 0.4}, steps=2, data=x,
        reconstruct=True,
    )  # fmt: skip
    assert len(done) == 2
    assert small.count_params() < model.count_params()


def test_it_needs_data_and_says_so():
    with pytest.raises(ValueError, match=r"`data`\. .*`reconstruct=True` needs"):
        shrink_plan(table(), 0.5, reconstruct=True)
    with pytest.raises(TypeError, match="`reconstruct`"):
        shrink_plan(table(), 0.5, data=np.ones((4, 5)), reconstruct="yes")


@st.composite
def samples(draw):
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    channels, kept = draw(st.integers(2, 8)), draw(st.integers(1, 7))
    rows = draw(st.integers(1, 60))
    mixed = rng.normal(size=(rows, channels)) @ rng.normal(size=(channels, channels))
    stays = np.arange(channels) < min(kept, channels - 1)
    return mixed + draw(st.sampled_from([0.0, 5.0])), rng.permutation(stays)


def _moments(values):
    moments = Moments(values.shape[1])
    for one in np.array_split(values, 3):
        moments.add(one)
    return moments


@given(samples(), st.booleans())
def test_a_combination_is_never_farther_than_nothing(found, shifted):
    values, kept = found
    weights, shift = _moments(values).combination(kept, shifted)
    goes, stays = values[:, ~kept], values[:, kept]
    nothing = goes - goes.mean(0) if shifted else goes
    left = goes - stays @ weights - shift
    assert np.square(left).sum() <= np.square(nothing).sum() * (1 + 1e-9) + 1e-9
    if shifted:
        np.testing.assert_allclose(left.mean(0), 0.0, atol=1e-9 * (1 + np.abs(values).max()))
    else:
        assert not shift.any()


@given(st.integers(0, 100), st.booleans())
def test_with_much_data_it_is_least_squares(seed, shifted):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(20_000, 5)) @ (np.eye(5) + 0.3 * rng.normal(size=(5, 5))) + 1.0
    kept = np.array([True, False, True, True, False])
    stays = np.c_[values[:, kept], np.full(len(values), float(shifted))]
    best = np.linalg.lstsq(stays, values[:, ~kept], rcond=None)[0]
    weights, shift = _moments(values).combination(kept, shifted)
    errors = [
        np.square(values[:, ~kept] - stays @ one).sum() for one in (best, np.r_[weights, [shift]])
    ]
    # The ridge is a thousandth of the mean square: it costs as little.
    assert errors[1] <= errors[0] * 1.02


def test_no_data_at_all_is_nothing():
    weights, shift = Moments(3).combination(np.array([True, True, False]), shifted=True)
    assert not weights.any()
    assert not shift.any()
