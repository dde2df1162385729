"""Layers whose weights are dropped."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt.layers import DropConnect


class Recorded(DropConnect):
    """Keeps the kernels that it computed with."""

    def _drop(self, kernel):
        dropped = super()._drop(kernel)
        self.used = [*getattr(self, "used", ()), np.array(dropped)]
        return dropped


def kernel_of(layer, size):
    """Give the kernel a Dense computes with in one call of training, without a bias."""
    return np.array(layer(np.eye(size, dtype="float32"), training=True))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_mean(rate):
    dense = layers.Dense(400, use_bias=False, kernel_initializer="ones")
    used = kernel_of(DropConnect(dense, rate, seed=1), 300)
    # Five standard errors of a binomial share.
    assert abs(np.mean(used == 0) - rate) < 5 * np.sqrt(rate * (1 - rate) / used.size)
    np.testing.assert_allclose(used[used != 0], 1 / (1 - rate), rtol=1e-6)  # float32
    np.testing.assert_array_equal(dense.kernel, np.ones((300, 400)))


def test_one_mask_a_call():
    layer = DropConnect(layers.Dense(20), 0.5, seed=1)
    same = np.ones((8, 20), "float32")
    one, other = (np.array(layer(same, training=True)) for _ in range(2))
    np.testing.assert_array_equal(one, np.broadcast_to(one[0], one.shape))
    assert not np.array_equal(one, other)


def test_inference_is_the_layer():
    dense = layers.Dense(5, activation="relu")
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    layer = DropConnect(dense, 0.5)
    np.testing.assert_array_equal(layer(x), dense(x))
    np.testing.assert_array_equal(layer(x, training=False), dense(x))
    np.testing.assert_array_equal(DropConnect(dense, 0.0)(x, training=True), dense(x))


LAYERS = [
    (layers.Dense(4, activation="tanh"), (3, 5)),
    (layers.Dense(4), (3, 2, 2, 5)),
    (layers.EinsumDense("abc,cd->abd", (2, 4), bias_axes="d"), (3, 2, 5)),
    (layers.Conv1D(4, 3, padding="causal"), (3, 9, 5)),
    (layers.Conv2D(4, 3, strides=2, activation="relu"), (3, 9, 9, 5)),
    (layers.Conv3D(4, 2), (3, 4, 4, 4, 5)),
    (layers.Conv1DTranspose(4, 3), (3, 9, 5)),
    (layers.Conv2DTranspose(4, 3, strides=2), (3, 5, 5, 5)),
    (layers.Conv3DTranspose(4, 2), (3, 3, 3, 3, 5)),
    (layers.DepthwiseConv1D(3), (3, 9, 12)),
    (layers.DepthwiseConv2D(3), (3, 9, 9, 5)),
    (layers.SeparableConv1D(8, 3), (3, 9, 8)),
    (layers.SeparableConv2D(8, 3), (3, 9, 9, 8)),
]


@pytest.mark.parametrize(("inner", "shape"), LAYERS, ids=lambda value: getattr(value, "name", ""))
def test_output_and_gradients_are_those_of_the_layer_with_other_kernels(inner, shape):
    config = inner.get_config() | {"bias_initializer": "random_normal"}
    layer = Recorded(type(inner).from_config(config), 0.4, seed=1)
    plain = type(inner).from_config(config)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer.build(shape)
    plain.build(shape)
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
        loss = tf.reduce_sum(y**2)
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])

    whole = layer.get_weights()
    kernels = [i for i, w in enumerate(whole) if w.ndim > 1]
    assert len(kernels) == len(layer.used) == (2 if "separable" in inner.name else 1)
    there = {i: layer.used[n] != 0 for n, i in enumerate(kernels)}
    for i, mask in there.items():
        assert mask.any()
        assert not mask.all()
        np.testing.assert_allclose(layer.used[kernels.index(i)], whole[i] * mask / 0.6, rtol=1e-6)
    plain.set_weights([w * there[i] / 0.6 if i in there else w for i, w in enumerate(whole)])
    with tf.GradientTape() as tape:
        expected = plain(x)
        loss = tf.reduce_sum(expected**2)
    # Sums of float32 products in another order; the values are of the order of 1 to 100.
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    wanted = tape.gradient(loss, [v.value for v in plain.trainable_variables])
    for i, (got, want) in enumerate(zip(gradients, wanted, strict=True)):
        want = want * there[i] / 0.6 if i in there else want
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
        if i in there:
            assert not np.array(got)[~there[i]].any()
    assert tuple(layer.compute_output_shape(shape)) == y.shape


@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "mixed_bfloat16", "float64"])
def test_precision_is_the_layers(policy):
    dense = layers.Dense(30, dtype=policy, bias_initializer="ones")
    layer = Recorded(dense, 0.5, seed=1)
    x = np.eye(20, dtype="float32")
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == dense.compute_dtype
    assert layer.compute_dtype == dense.compute_dtype
    assert dense.kernel.dtype == dense.variable_dtype
    # Twice the kernel and one more, each rounded.
    np.testing.assert_allclose(
        np.array(y, "float64"),
        np.array(layer.used[0], "float64") + 1,
        rtol={"float64": 1e-6, "mixed_bfloat16": 2**-7}.get(policy, 2**-10),
    )
    assert layer(keras.KerasTensor((None, 20))).dtype == dense.compute_dtype


def test_losses_are_counted_once_and_of_the_whole_kernel():
    dense = layers.Dense(
        3,
        kernel_regularizer=keras.regularizers.L2(0.1),
        activity_regularizer=keras.regularizers.L1(0.01),
    )
    layer = DropConnect(dense, 0.5, seed=1)
    x = np.ones((4, 5), "float32")
    for training in [True, False]:
        model = keras.Sequential([keras.Input((5,)), layer])
        y = model(x, training=training)
        expected = [0.01 * np.abs(y).sum() / 4, 0.1 * np.square(dense.kernel).sum()]
        np.testing.assert_allclose(sorted(map(float, model.losses)), sorted(expected), rtol=1e-5)
    assert len(layer.losses) == len(dense.losses) == 2


def test_losses_reach_the_train_step():
    dense = layers.Dense(3, activity_regularizer=keras.regularizers.L2(1.0))
    model = keras.Sequential([keras.Input((5,)), DropConnect(dense, 0.0001, seed=1)])
    x = np.ones((4, 5), "float32")
    model.compile(keras.optimizers.SGD(0.0), lambda y, outputs: 0.0 * outputs, jit_compile=True)
    # Nothing is dropped of 15 weights under this seed.
    losses = model.fit(x, x[:, :3], epochs=2, verbose=0).history["loss"]
    expected = np.square(x @ np.array(dense.kernel)).sum() / 4
    np.testing.assert_allclose(losses, expected, rtol=1e-3)


@keras.saving.register_keras_serializable(package="tests")
class Counting(layers.Layer):
    """A layer with a kernel, a state of its own, noise and a loss."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")
        self.calls = self.add_weight((), initializer="zeros", trainable=False, name="calls")
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        self.calls.assign_add(1.0 if training else 100.0)
        outputs = keras.ops.matmul(inputs, self.kernel)
        self.add_loss(keras.ops.sum(outputs))
        return outputs + keras.random.normal((3,), seed=self.seeds)


@pytest.mark.parametrize("jit", [None, False, True])
def test_the_state_of_the_layer_goes_on(jit):
    layer = DropConnect(Counting(), 0.5, seed=1)
    x = np.zeros((2, 4), "float32")

    def call(inputs):
        return layer(inputs, training=True), layer(inputs)

    layer.build(x.shape)
    run = call if jit is None else tf.function(call, jit_compile=jit)
    one, _ = run(x)
    two, _ = run(x)
    assert float(layer.layer.calls) == 202.0
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("training", [False, True])
def test_values_of_a_scope_around_it_are_used(training):
    # JAX trains so: variables keep their values, and those of the step come in a scope.
    dense = layers.Dense(6, kernel_regularizer="l2", activity_regularizer="l2")
    layer = DropConnect(dense, 0.5, seed=1)
    x = np.eye(5, dtype="float32")
    layer.build(x.shape)
    old = layer.get_weights()
    seed = layer.seed_generator.state.value
    y, states, losses = layer.stateless_call(
        [np.full((5, 6), 2.0), np.full(6, 7.0)], [seed], x, training=training, return_losses=True
    )
    assert np.unique(y).tolist() == ([7.0, 11.0] if training else [9.0])
    expected = [0.01 * np.square(y).sum() / 5, 0.01 * 4 * 30]
    np.testing.assert_allclose(sorted(map(float, losses)), sorted(expected), rtol=1e-6)
    assert np.array_equal(states[0], seed) is not training
    for now, was in zip(layer.get_weights(), old, strict=True):
        np.testing.assert_array_equal(now, was)


def test_weights_go_to_the_layer_without_wrapper_and_back(tmp_path):
    def sequential(wrap):
        dense, top = layers.Dense(4, name="dense"), layers.SeparableConv1D(2, 2)
        stack = [wrap(dense), layers.Reshape((2, 2)), wrap(top)]
        return keras.Sequential([keras.Input((3,)), *stack])

    plain = sequential(lambda layer: layer)
    wrapped = sequential(lambda layer: DropConnect(layer, 0.5))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    wrapped.set_weights(plain.get_weights())
    np.testing.assert_array_equal(wrapped.predict(x, verbose=0), plain.predict(x, verbose=0))
    wrapped.save(tmp_path / "wrapped.keras")
    loaded = keras.saving.load_model(tmp_path / "wrapped.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), plain.predict(x, verbose=0))
    again = sequential(lambda layer: layer)
    again.set_weights(loaded.get_weights())
    np.testing.assert_array_equal(again.predict(x, verbose=0), plain.predict(x, verbose=0))


def test_config():
    layer = DropConnect(layers.Dense(3, name="inner", dtype="mixed_float16"), 0.25, seed=5)
    config = layer.get_config()
    assert (config["rate"], config["seed"]) == (0.25, 5)
    copy = DropConnect.from_config(layer.get_config())
    assert copy.get_config() == config
    assert copy.layer.name == "inner"
    assert copy.compute_dtype == "float16"
    outer = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(DropConnect(Counting(), 0.5))
    )
    assert isinstance(outer.layer, Counting)


def test_a_frozen_layer_is_dropped_too():
    layer = DropConnect(layers.Dense(30, use_bias=False, trainable=False), 0.5, seed=1)
    assert np.any(kernel_of(layer, 30) == 0)
    layer.trainable = False
    assert np.any(kernel_of(layer, 30) == 0)
    assert layer.trainable_variables == []


def test_an_embedding_gives_its_mask():
    layer = DropConnect(layers.Embedding(5, 8, mask_zero=True), 0.5, seed=1)
    words = np.array([[1, 2, 0]])
    for training in [False, True]:
        np.testing.assert_array_equal(layer(words, training=training)._keras_mask, words != 0)
    np.testing.assert_array_equal(layer.compute_mask(words), words != 0)
    assert np.any(np.equal(layer(words, training=True), 0))


def test_a_mask_ends_where_the_layer_ends_it():
    x = tf.ones((2, 3, 4))
    x._keras_mask = tf.ones((2, 3), "bool")
    layer = DropConnect(Counting(), 0.5)
    assert not layer.supports_masking
    with pytest.warns(UserWarning, match="does not support masking"):
        y = layer(x, training=True)
    assert getattr(y, "_keras_mask", None) is None


@pytest.mark.parametrize(
    ("layer", "shape", "names"),
    [
        (layers.ReLU(), (2, 4), "Its weights are: none"),
        (layers.BatchNormalization(), (2, 4), "gamma, beta"),
        (layers.LayerNormalization(), (2, 4), "gamma, beta"),
        (layers.PReLU(), (2, 4, 4), "alpha"),
        (layers.LSTM(3), (2, 4, 4), "lstm_cell"),
        (layers.Bidirectional(layers.GRU(2)), (2, 4, 4), "forward_gru"),
        (layers.TimeDistributed(layers.Dense(2)), (2, 4, 4), "dense"),
        (layers.ConvLSTM1D(2, 2), (2, 4, 4, 4), "conv_lstm_cell"),
        (layers.MultiHeadAttention(2, 2), (2, 4, 4), "Its inputs are: query, value"),
        (layers.GRUCell(3), (2, 4), "Its inputs are: inputs, states"),
        (keras.Sequential([layers.Dense(2, name="d")]), (2, 4), "In it are: d"),
        (DropConnect(layers.Dense(2, name="d"), 0.5), (2, 4), "In it are: d"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_layers_that_it_does_not_take(layer, shape, names):
    with pytest.raises(ValueError, match=f"`layer`. Expected.*with a kernel.*{names}"):
        DropConnect(layer, 0.5).build(shape)


def test_what_is_no_layer():
    for layer in ["dense", None, layers.Dense]:
        with pytest.raises(TypeError, match="`layer`. Expected a layer of one input"):
            DropConnect(layer, 0.5)
    built = layers.BatchNormalization()
    built.build((None, 3))
    with pytest.raises(ValueError, match="moving_variance"):
        DropConnect(built, 0.5)  # at once, as its weights are there
