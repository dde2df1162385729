"""`reconstruct`: kernels that make up for the channels that go."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.structured import iterative_shrink, shrink, shrink_plan
from kerasopt.structured.surgery import reconstruction as reconstructing
from kerasopt.structured.surgery.batch_norm_statistics import reestimate
from kerasopt.structured.surgery.reconstruction import Moments, taps_inside
from tests.graph import models
from tests.graph.rewriting import shaken
from tests.structured.exact import assert_close, plan_of
from tests.structured.kinds import KINDS, image, series, table, volume


def off(some, others):
    """Give the mean difference of outputs, as a part of the mean output; squares of both."""
    return float(np.square(some - others).mean() / np.square(some).mean())


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
    how = {"importance": seconds, "round_to": 1, "scope": "layer", "include": ["first"], "data": x,
           "batches": 32}  # fmt: skip
    reestimate(model, x, 32)  # its statistics are estimated anew of the smaller one
    before = [np.array(one) for one in model.weights]
    whole = model(x, training=False)
    made = shrink(model, pruning_ratio=0.5, reconstruct=True, **how)
    copied = shrink(model, pruning_ratio=0.5, **how)
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
    assert_close(models.results(plan.masked(), x), models.results(plan.apply(), x))


def _given(x):
    return [(x,)] if isinstance(x, (list, dict)) else x


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
    how = {"importance": seconds, "round_to": 1, "scope": "layer", "include": ["first"]}
    copied = shrink(model, pruning_ratio=0.5, data=x, **how).get_layer(taker).get_weights()
    made = (
        shrink(model, pruning_ratio=0.5, data=x, reconstruct=True, **how)
        .get_layer(taker)
        .get_weights()
    )
    assert all(map(np.array_equal, copied, made))


def constant(model):
    """Let each second channel of the first layer be always 3."""
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., 1::2], bias[1::2] = 0.0, 3.0
    model.get_layer("first").set_weights([kernel, bias])
    return model


HOW = {"importance": seconds, "include": ["first"], "round_to": 1, "scope": "layer"}


@pytest.mark.parametrize(
    "build",
    [
        lambda: table(layers.Dense(6, name="second")),
        lambda: series(layers.TimeDistributed(layers.Dense(6), name="second")),
        lambda: image(layers.Conv2D(6, 3, strides=2, name="second")),
        lambda: image(),
    ],
    ids=["Dense", "TimeDistributed", "Conv2D", "Flatten"],
)
def test_a_bias_makes_up_for_a_channel_that_never_changes(build):
    model = constant(build())
    x = batch(model, 128)
    plan = shrink_plan(model, pruning_ratio=0.5, data=x, reconstruct=True, **HOW)
    whole = model(x, training=False)
    for one in (plan.apply(), plan.masked()):
        np.testing.assert_allclose(one(x, training=False), whole, atol=1e-4)


@pytest.mark.parametrize("use_bias", [True, False])
def test_normalization_takes_a_constant_away(use_bias):
    second = layers.Conv2D(6, 3, use_bias=use_bias, name="second")
    model = constant(image(second, layers.BatchNormalization(name="norm")))
    x = batch(model, 128)
    reestimate(model, x, 4)
    made = shrink(model, pruning_ratio=0.5, data=x, reconstruct=True, **HOW)
    assert apart(model(x, training=False), made(x, training=False)) < 1e-4


@pytest.mark.parametrize("normalized", [False, True])
def test_padding_is_counted_where_a_constant_is_made_up_for(normalized, monkeypatch):
    keras.utils.set_random_seed(0)
    second = layers.Conv2D(6, 3, padding="same", use_bias=not normalized, name="second")
    norm = [layers.BatchNormalization(name="norm")] if normalized else []
    model = constant(image(RELU(), second, *norm, size=(4, 4)))
    x = batch(model, 128)
    reestimate(model, x, 4)
    errors = []
    for counted in (True, False):
        if not counted:
            monkeypatch.setattr(reconstructing, "taps_inside", lambda *_: 1.0)
        small = shrink(model, pruning_ratio=0.5, data=x, reconstruct=True, **HOW)
        errors.append(off(model(x, training=False), small(x, training=False)))
    assert errors[0] < errors[1]


@pytest.mark.parametrize(
    "between",
    [
        lambda: [layers.Conv2D(6, 1, use_bias=False, name="second"), layers.BatchNormalization(1)],
        lambda: [layers.Reshape((36, 8)), layers.LSTM(6, activation=None, return_sequences=True,
                                                      use_bias=False), layers.BatchNormalization()],
        lambda: [layers.Reshape((36, 8)), layers.EinsumDense("btc,cde->btde", (36, 3, 2)),
                 layers.BatchNormalization()],
        lambda: [layers.Conv2D(6, 1, use_bias=False), layers.BatchNormalization(trainable=False)],
    ],
    ids=["another axis", "gates", "several axes", "statistics that stay"],
)  # fmt: skip
def test_means_matter_where_normalization_does_not_take_them(between):
    keras.utils.set_random_seed(0)
    model = constant(image(*between()))
    first = model.get_layer("first")
    kernel, bias = first.get_weights()
    bias[::2] = 2.0
    first.set_weights([kernel, bias])  # of what stays a part is constant, too
    x = batch(model, 128)
    reestimate(model, x, 4)
    whole = model(x, training=False)
    made, copied = (
        off(
            whole,
            shrink(model, pruning_ratio=0.5, data=x, reconstruct=one, **HOW)(x, training=False),
        )
        for one in (True, False)
    )
    assert made < 0.7 * copied


def test_a_layer_called_on_tensors_of_several_ranks():
    x = keras.Input((6, 5))
    y = layers.Dense(8, activation="relu", name="first")(x)
    layer = layers.Dense(4, name="second")
    outputs = [layers.Dense(2)(layers.Flatten()(layer(one))) for one in (y, y[:, 0])]
    model = doubled(keras.Model(x, outputs))
    x = batch(model, 128)
    for one, other in zip(
        model(x), shrink(model, pruning_ratio=0.5, data=x, reconstruct=True, **HOW)(x), strict=True
    ):
        assert apart(one, other) < 0.02


def test_each_kernel_of_attention_reads_its_own_argument():
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((6, 5)) for _ in range(2)]
    first = layers.Dense(16, activation="relu", name="first")
    attend = layers.MultiHeadAttention(2, 4, output_shape=4, name="attend")
    y = attend(first(inputs[0]), first(inputs[1]))
    model = keras.Model(inputs, layers.Dense(2, name="top")(layers.Flatten()(y)))
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(64, 6, 5)).astype("float32") for _ in range(2)]
    alone = [one.copy() for one in x]
    alone[1] *= 1000.0  # of the query nothing may change
    kernels = [
        shrink(model, pruning_ratio=0.5, data=(one,), reconstruct=True, **HOW)
        .get_layer("attend")
        .query_dense.kernel
        for one in (x, alone)
    ]
    np.testing.assert_array_equal(*kernels)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_said(bad):
    model = table()
    x = batch(model)
    x[5, 2] = bad
    with pytest.raises(ValueError, match=r"`data`\. .*layer 'top' is given is finite"):
        shrink(model, pruning_ratio=0.5, data=x, reconstruct=True, round_to=1)
    assert "call" not in vars(model.get_layer("top"))


def test_batches_that_do_not_fit_are_said():
    model = table()
    data = [(np.ones((4, 5)),), (np.ones((4, 3)),)]
    with pytest.raises(ValueError, match=r"`data`\. .*x \(4, 3\)\. Batch 1 raised"):
        shrink(model, pruning_ratio=0.5, data=data, reconstruct=True, round_to=1)
    assert "call" not in vars(model.get_layer("top"))


def test_averages_of_weights_follow():
    model = doubled(table(layers.Dense(6, name="second")))
    model.compile(keras.optimizers.Adam(1e-7, use_ema=True, ema_momentum=0.999), "mse")
    x = batch(model, 512)
    whole = model.predict(x, verbose=0)
    model.fit(x, whole, verbose=0)
    small = shrink(model, pruning_ratio=0.5, data=x, batches=32, reconstruct=True, **HOW)
    small.fit(x, whole, verbose=0)  # ends with the averages in the place of the weights
    assert apart(whole, small.predict(x, verbose=0)) < 0.06


def test_zeros_constraints_and_a_frozen_bias_are_kept():
    model = table(layers.Dense(6, name="second", kernel_constraint="non_neg"))
    second, top = model.get_layer("second"), model.get_layer("top")
    kernel, _ = second.get_weights()
    second.set_weights([np.abs(kernel), np.arange(6.0)])
    kernel, bias = top.get_weights()
    kernel[::3] = 0.0
    top.set_weights([kernel, bias])
    constant(model)
    second.bias.trainable = False
    x = batch(model, 128)
    how = {"importance": seconds, "round_to": 1, "scope": "layer", "data": x, "reconstruct": True}
    small = shrink(model, pruning_ratio=0.5, **how)
    assert np.array(small.get_layer("second").kernel).min() >= 0.0
    np.testing.assert_array_equal(small.get_layer("second").bias, np.array(second.bias)[::2])
    assert not small.get_layer("top").get_weights()[0][0].any()
    assert small.get_layer("top").get_weights()[0][1].all()


@pytest.mark.parametrize("dtype", ["mixed_float16", "bfloat16", "float64"])
def test_other_types_of_numbers(dtype):
    keras.config.set_dtype_policy(dtype)
    try:
        model = doubled(table(layers.Dense(6, name="second")))
    finally:
        keras.config.set_dtype_policy("float32")
    x = batch(model, 512)
    small = shrink(model, pruning_ratio=0.5, data=x, batches=32, reconstruct=True, **HOW)
    assert [one.dtype for one in small.weights] == [one.dtype for one in model.weights]
    whole, found = (np.asarray(one(x), np.float32) for one in (model, small))
    assert apart(whole, found) < 0.06


def test_several_inputs():
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((5,), name=name) for name in ("a", "b")]
    y = layers.Dense(8, activation="relu", name="first")(layers.Concatenate()(inputs))
    model = doubled(keras.Model(inputs, layers.Dense(2, name="top")(y)))
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(512, 5)).astype("float32") for _ in inputs]
    whole = model(x)
    for data in ((x,), (x, np.zeros(512)), dict(zip("ab", x, strict=True))):
        small = shrink(model, pruning_ratio=0.5, data=data, batches=32, reconstruct=True, **HOW)
        assert apart(whole, small(x)) < 0.06
    with pytest.raises(ValueError, match=r"For several inputs give `data=\(\[x1, x2\],\)`"):
        shrink(model, pruning_ratio=0.5, data=tuple(x), reconstruct=True, **HOW)


def test_data_that_are_shuffled_are_read_once():
    model = shaken(table(layers.Dense(6, name="second")))
    data = tf.data.Dataset.from_tensor_slices(batch(model, 256)).shuffle(256).batch(16)
    plan = shrink_plan(model, pruning_ratio=0.5, data=data, reconstruct=True, round_to=1)
    assert "Kernels make up for what goes" in str(plan)
    assert plan.to_dict()["reconstruct"]
    one, other = plan.apply(), plan.apply()
    assert all(map(np.array_equal, one.get_weights(), other.get_weights()))
    assert_close([plan.masked()(batch(model))], [one(batch(model))])


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
        small = shrink(model, pruning_ratio=0.5, data=x, batches=16, reconstruct=reconstruct)
        errors.append(float(np.mean(np.square(small(x, training=False) - whole))))
    assert errors[1] < 0.5 * errors[0]


def test_channels_that_are_zero_change_nothing():
    model = table(layers.Dense(6, name="second"))
    for name, at in (("first", (slice(None), slice(None, 6))), ("second", slice(None, 6))):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[at] = 0.0
        model.get_layer(name).set_weights([kernel, bias])
    x = batch(model)
    small = shrink(model, pruning_ratio="masked", data=x, reconstruct=True)
    assert small.get_layer("first").units == 6
    np.testing.assert_allclose(small(x), model(x), atol=1e-6)


def test_with_iterative_shrink():
    model = table(layers.Dense(32, activation="relu", name="second"), units=32)
    model.compile("sgd", "mse")
    x = batch(model)
    small, done = iterative_shrink(
        model, lambda one: one.fit(x, model(x), verbose=0), budget={"macs": 0.4}, rounds=2, data=x,
        reconstruct=True,
    )  # fmt: skip
    assert len(done) == 2
    assert small.count_params() < model.count_params()


def test_it_needs_data_and_says_so():
    with pytest.raises(ValueError, match=r"`data`\. .*`reconstruct=True` needs"):
        shrink_plan(table(), pruning_ratio=0.5, reconstruct=True)
    with pytest.raises(TypeError, match="`reconstruct`"):
        shrink_plan(table(), pruning_ratio=0.5, data=np.ones((4, 5)), reconstruct="yes")


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


@pytest.mark.parametrize("padding", ["same", "causal", "valid"])
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_taps_that_are_padding_are_those_of_the_layer(padding, size, taps, stride, dilation):
    if (stride > 1 and dilation > 1) or (padding == "valid" and (taps - 1) * dilation >= size):
        return  # Keras has no such layers
    layer = layers.Conv1D(1, taps, stride, padding, dilation_rate=dilation, use_bias=False,
                          kernel_initializer="ones")  # fmt: skip
    seen = np.asarray(layer(np.ones((1, size, 1), "float32")))
    assert taps_inside(size, taps, stride, dilation, padding) == pytest.approx(seen.mean() / taps)
