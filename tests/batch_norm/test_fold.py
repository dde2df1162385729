"""Batch normalization folded into the layers before it."""

import itertools
import subprocess
import sys

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis.extra import numpy as npst
from keras import layers

from kerasopt.batch_norm import fold_batch_norm
from kerasopt.batch_norm.absorption import Channels, fold
from kerasopt.export import to_tflite
from kerasopt.graph import Graph
from tests.conftest import examples
from tests.graph import models

RNG = np.random.default_rng(0)


def shaken(model):
    """Give the model with random weights and moving statistics, kernels of moderate size."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1 and "kernel" in weight.name:
            value = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            value = rng.normal(size=shape) / 2
        weight.assign(value)
    return model


def norms(model):
    """Give the paths of the normalizations that a model has."""
    nodes = Graph.of(model).nodes
    return [one.path for one in nodes if isinstance(one.layer, layers.BatchNormalization)]


def assert_equal(old, new, rtol=1e-5, size=3):
    inputs = models.batch(old, size=size)
    for mine, its in zip(models.results(old, inputs), models.results(new, inputs), strict=True):
        assert mine.dtype == its.dtype
        np.testing.assert_allclose(its, mine, rtol=rtol, atol=rtol * np.abs(mine).max())


def folded(model, left=(), **kwargs):
    """Fold a model that is shaken first; check the result, and that the old model is as it was."""
    shaken(model)
    before = [np.array(weight) for weight in model.weights]
    new = fold_batch_norm(model, **kwargs)
    assert type(new) is type(model)
    assert norms(new) == list(left)
    assert_equal(model, new)
    for weight, was in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, was)
    return new


def stack(shape, layer, norm=None, *more):
    """Give a model of a layer and what follows it, with an output that is none of them."""
    x = keras.Input(shape)
    y = (norm or layers.BatchNormalization(name="norm"))(layer(x))
    for one in more:
        y = one(y)
    return keras.Model(x, layers.ReLU(name="end")(y))


def einsum(equation, output_shape, axes):
    def make(use_bias, **kwargs):
        bias_axes = axes if use_bias else None
        return layers.EinsumDense(equation, output_shape, bias_axes=bias_axes, **kwargs)

    return make


def of(kind, *args, **given):
    def make(**kwargs):
        return kind(*args, **given, **kwargs)

    return make


SIGNAL, IMAGE, VOLUME = (9, 4), (7, 6, 4), (5, 6, 5, 2)
FIRST = {"data_format": "channels_first"}
KINDS = {
    "dense": (of(layers.Dense, 5), (4,), -1),
    "dense_on_3d": (of(layers.Dense, 5), (3, 4), -1),
    "conv1d": (of(layers.Conv1D, 5, 3, strides=2), SIGNAL, -1),
    "conv1d_causal": (of(layers.Conv1D, 5, 3, padding="causal", dilation_rate=2), SIGNAL, 2),
    "conv2d_grouped": (of(layers.Conv2D, 6, 3, groups=2, padding="same"), IMAGE, -1),
    "conv2d_dilated": (of(layers.Conv2D, 5, 2, dilation_rate=2), IMAGE, 3),
    "conv2d_first": (of(layers.Conv2D, 5, 3, **FIRST), (4, 7, 6), 1),
    "conv3d": (of(layers.Conv3D, 3, 2), VOLUME, -1),
    "conv1d_transpose": (of(layers.Conv1DTranspose, 5, 3, strides=2), SIGNAL, -1),
    "conv2d_transpose": (of(layers.Conv2DTranspose, 5, 3, padding="same"), IMAGE, -1),
    "conv2d_transpose_first": (of(layers.Conv2DTranspose, 5, 3, **FIRST), (4, 5, 5), -3),
    "conv3d_transpose": (of(layers.Conv3DTranspose, 3, 2), VOLUME, -1),
    "depthwise1d": (of(layers.DepthwiseConv1D, 3, depth_multiplier=2), SIGNAL, -1),
    "depthwise2d": (of(layers.DepthwiseConv2D, 3, depth_multiplier=3), IMAGE, -1),
    "depthwise2d_first": (of(layers.DepthwiseConv2D, 3, depth_multiplier=2, **FIRST), (4, 6, 6), 1),
    "separable1d": (of(layers.SeparableConv1D, 5, 3), SIGNAL, -1),
    "separable2d": (of(layers.SeparableConv2D, 5, 3, depth_multiplier=2), IMAGE, -1),
    "einsum": (einsum("ab,bc->ac", 5, "c"), (4,), -1),
    "einsum_dots_left": (einsum("...x,xyz->...yz", (3, 5), "y"), (2, 4), -1),
    "einsum_heads": (einsum("abc,cde->abde", (None, 2, 3), "de"), (5, 4), -2),
    "einsum_dots_right": (einsum("ab...,bc->ac...", 5, "c"), (4, 3), 1),
    "einsum_by_position": (einsum("abc,bcd->abd", (3, 5), "d"), (3, 4), 1),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_layer(name):
    make, shape, axis = KINDS[name]
    x = keras.Input(shape)
    outputs = []
    for use_bias, scale, center in itertools.product((True, False), repeat=3):
        norm = layers.BatchNormalization(axis=axis, scale=scale, center=center, epsilon=0.01)
        outputs.append(layers.ReLU()(norm(make(use_bias=use_bias)(x))))
    new = folded(keras.Model(x, outputs))
    assert len(new.layers) == 1 + 8 * 2


def test_several_in_a_row_and_layers_that_do_nothing():
    nothing = [
        layers.Identity(name="identity"),
        layers.Activation("linear", name="linear"),
        layers.ActivityRegularization(name="free"),
        layers.Dropout(0.0, name="dropout"),
        layers.GaussianNoise(0.0, name="noise"),
        layers.SpatialDropout2D(0.0, name="spatial"),
    ]
    x = keras.Input((6, 6, 3))
    y = layers.Conv2D(4, 3, use_bias=False, name="conv")(x)
    for layer in nothing:
        y = layers.BatchNormalization()(layer(y))
    y = layers.Dropout(0.5, name="stays")(y)
    new = folded(keras.Model(x, layers.Flatten(name="flat")(y)))
    assert [layer.name for layer in new.layers[1:]] == ["conv", "stays", "flat"]


def test_two_axes_of_one_bias():
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 3), name="heads")
    norm = layers.BatchNormalization(axis=-1)
    model = stack((5, 4), layer, norm, layers.BatchNormalization(axis=-2))
    assert folded(model).get_layer("heads").bias.shape == (2, 3)
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="ed", name="heads")
    assert folded(stack((5, 4), layer)).get_layer("heads").bias_axes == "ed"


def test_what_stays_and_why(capsys):
    x = keras.Input((6, 6, 3), name="x")
    y = layers.BatchNormalization(name="first")(x)
    y = layers.Conv2D(4, 3, activation="relu", name="active")(y)
    y = layers.BatchNormalization(name="after_active")(y)
    a = layers.Conv2D(4, 1, name="branch")(y)
    y = layers.Add(name="add")([layers.BatchNormalization(name="after_branch")(a), a])
    y = layers.BatchNormalization(name="after_add")(y)
    y = layers.Conv2D(4, 1, name="rows")(y)
    y = layers.BatchNormalization(axis=1, name="of_rows")(y)
    y = layers.BatchNormalization(name="after_norm")(y)
    y = layers.Conv2D(4, 1, name="always")(y)
    y = layers.BatchNormalization(name="in_training")(y, training=True)
    y = layers.Conv2D(4, 1, name="punished", activity_regularizer="l2")(y)
    y = layers.BatchNormalization(name="after_punished")(y)
    y = layers.TimeDistributed(layers.BatchNormalization(name="within"), name="times")(y)
    y = layers.Conv2D(4, 1, name="fine")(y)
    y = layers.BatchNormalization(name="goes")(y)
    model = keras.Model(x, layers.BatchNormalization(name="last")(layers.Dense(3, name="top")(y)))
    stays = [path for path in norms(model) if path != "goes"]
    new = folded(model, stays, verbose=1)
    assert len(new.layers) == len(model.layers) - 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "fold_batch_norm: 1 folded (goes into fine); left: "
        "first (follows an input); "
        "after_active (follows the activation of 'active'); "
        "after_branch ('branch' before it has other consumers); "
        "after_add (follows Add 'add'); "
        "of_rows (its axis 1 is not that of the channels of 'rows'); "
        "after_norm (follows BatchNormalization 'of_rows'); "
        "in_training (is called with `training=True`); "
        "after_punished ('punished' before it has an activity regularizer); "
        "last (gives an output of the model, which would be renamed); "
        "times/within (is inside a TimeDistributed)"
    )


def test_an_output_before_it_and_a_layer_that_does_nothing_but_gives_one():
    x = keras.Input((4,))
    y = layers.Dense(3, name="dense")(x)
    z = layers.ReLU()(layers.BatchNormalization(name="norm")(y))
    model = keras.Model(x, [y, layers.Identity(name="named")(z)])
    with pytest.warns(UserWarning, match="'dense' before it gives an output"):
        assert folded(model, ["norm"]).layers[-1].name == "named"


def test_what_is_shared_stays():
    a, b = keras.Input((4,)), keras.Input((4,))
    dense, norm = layers.Dense(3, name="dense"), layers.BatchNormalization(name="norm")
    outputs = [layers.ReLU()(norm(dense(one))) for one in (a, b)]
    with pytest.warns(UserWarning, match="norm .is used in several places"):
        folded(keras.Model([a, b], outputs), ["norm", "norm"])
    dense, norms_of = layers.Dense(3), [layers.BatchNormalization(name=name) for name in "nm"]
    outputs = [layers.ReLU()(norm(dense(one))) for norm, one in zip(norms_of, (a, b), strict=True)]
    model = keras.Model([a, b], outputs)
    with pytest.warns(UserWarning, match="before it is used in several places"):
        folded(model, norms(model))
    c = keras.Input((2, 4))
    model = keras.Model([a, c], [outputs[0], layers.TimeDistributed(dense)(c)])
    with pytest.warns(UserWarning, match="before it is used in several places"):
        folded(model, ["n"])


def test_a_kernel_that_something_else_uses_stays():
    x = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    y = layers.BatchNormalization(name="norm")(dense(x))
    model = keras.Model(x, keras.ops.matmul(y, dense.kernel))
    with pytest.warns(UserWarning, match="'dense' before it is used in several places"):
        folded(model, ["norm"])


def test_across_the_borders_of_nested_models():
    trunk = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="end")], name="trunk")
    head = keras.Sequential(
        [keras.Input((5,)), layers.BatchNormalization(name="begin"), layers.Dense(3, name="d")],
        name="head",
    )
    x = keras.Input((4,))
    y = head(layers.BatchNormalization(name="between")(trunk(x)))
    y = layers.BatchNormalization(name="after")(y)
    y = keras.Sequential([layers.BatchNormalization(name="all")], name="alone")(y)
    new = folded(keras.Model(x, layers.ReLU(name="end")(y)), ["alone/all"])
    assert [layer.name for layer in new.get_layer("head").layers] == ["d"]


def test_inside_a_model_that_is_called_twice():
    tower = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(3)],
        name="tower",
    )
    a, b = keras.Input((4,)), keras.Input((4,))
    y = layers.BatchNormalization(name="outside")(tower(a))
    new = folded(keras.Model([a, b], layers.Add()([y, tower(b)])), ["outside"])
    assert len(new.get_layer("tower").layers) == 2
    training = keras.Model(a, layers.ReLU()(tower(a, training=True)))
    with pytest.warns(UserWarning, match="called with `training=True`"):
        fold_batch_norm(training)


def test_a_branch_of_a_nested_model_that_keeps_its_input():
    a = keras.Input((4,))
    inner = keras.Model(a, [layers.BatchNormalization(name="norm")(a), layers.Dense(4)(a)])
    x = keras.Input((4,))
    y = inner(layers.Dense(4, name="before")(x))
    with pytest.warns(UserWarning, match="has other consumers"):
        folded(keras.Model(x, layers.Add()(y)), ["functional/norm"])
    inner = keras.Model(a, [layers.Identity()(a), layers.Dense(4)(a)], name="inner")
    y, z = inner(x)
    model = keras.Model(x, layers.Add()([layers.BatchNormalization()(z), y]))
    assert len(folded(model).get_layer("inner").layers) == 2


def test_a_sequential_model_that_goes_on_to_train(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(
                4, 3, use_bias=False, kernel_regularizer="l2", kernel_constraint="non_neg"
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    new = folded(model)
    assert [type(one).__name__ for one in new.layers] == ["Conv2D", "ReLU", "Flatten", "Dense"]
    conv = new.layers[0]
    assert isinstance(conv.kernel.regularizer, keras.regularizers.L2)
    assert isinstance(conv.kernel.constraint, keras.constraints.NonNeg)
    inputs, targets = models.batch(model), np.ones((4, 2), "float32")
    expected = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    assert new.evaluate(inputs, targets, verbose=0, return_dict=True)["mae"] == pytest.approx(
        expected["mae"], rel=1e-5
    )
    new.save(tmp_path / "folded.keras")
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", models.results(new, inputs)[0])
    code = (
        "import sys, keras, numpy as np; m = keras.saving.load_model('folded.keras');"
        "np.testing.assert_allclose(m(np.load('x.npy')), np.load('y.npy'), rtol=1e-5, atol=1e-6);"
        "assert 'kerasopt' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    before = np.array(conv.bias)
    new.fit(inputs, targets, verbose=0)
    assert not np.array_equal(conv.bias, before)


def test_what_is_frozen_stays_frozen():
    model = models.nested()
    x = keras.Input((6,))
    a, b, c = (layers.Dense(4, use_bias=False, name=name) for name in "abc")
    inner = keras.Sequential([keras.Input((6,)), a, layers.BatchNormalization(), b], name="inner")
    y = c(layers.BatchNormalization()(inner(x)))
    model = keras.Model(x, layers.ReLU()(layers.BatchNormalization()(y)))
    inner.trainable = False
    b.trainable = True
    c.trainable = False
    model.compile("adam", "mse")
    new = folded(model)
    of = {one.name: one for one in (*new.layers, *new.get_layer("inner").layers)}
    assert [of[name].trainable for name in ("inner", *"abc")] == [False, False, True, False]
    assert [v.path for v in new.trainable_variables] == [v.path for v in of["b"].trainable_weights]
    new.fit(models.batch(new), np.ones((4, 4)), verbose=0)


def test_include_and_exclude():
    def model():
        x = keras.Input((4,))
        y = layers.BatchNormalization(name="n1")(layers.Dense(4, name="d1")(x))
        y = layers.BatchNormalization(name="n2")(layers.Dense(4, name="d2")(y))
        return keras.Model(x, layers.ReLU()(layers.Identity(name="same")(y)))

    for kwargs, left in [
        ({"include": "d1"}, ["n2"]),
        ({"include": "n*", "exclude": "d2"}, ["n2"]),
        ({"include": layers.Dense}, []),
        ({"exclude": "n1"}, ["n1"]),
    ]:
        names = [layer.name for layer in folded(model(), left, **kwargs).layers]
        assert ("same" in names) == ("include" in kwargs)
    with pytest.warns(UserWarning, match=r"same \(excluded\); n1, n2 \(not included\)"):
        folded(model(), ["n1", "n2"], include="same", exclude=layers.Identity)
    with pytest.raises(ValueError, match="Did you mean 'n1'"):
        fold_batch_norm(model(), include="n11")
    with pytest.raises(TypeError, match="`verbose`"):
        fold_batch_norm(model(), verbose="yes")
    with pytest.raises(TypeError, match="`model`"):
        fold_batch_norm("model")


def test_nothing_to_fold():
    model = keras.Sequential([keras.Input((4,)), layers.Identity(), layers.Dense(2)])
    assert len(fold_batch_norm(model).layers) == 1
    with pytest.warns(UserWarning, match="it has no BatchNormalization"):
        fold_batch_norm(keras.Sequential([keras.Input((4,)), layers.Dense(2)]))


def test_classes_of_ones_own():
    class Plain(layers.Dense):
        pass

    class Louder(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) ** 2

    folded(stack((4,), Plain(3)))
    with pytest.warns(UserWarning, match="follows Louder"):
        folded(stack((4,), Louder(3)), ["norm"])


def test_lora_and_quantized_layers_stay():
    model = stack((4,), layers.Dense(3, lora_rank=2, name="dense"))
    with pytest.warns(UserWarning, match="quantized or has LoRA"):
        folded(model, ["norm"])
    model = stack((4,), layers.Dense(3, name="dense"))
    model.get_layer("dense").quantize("int8")
    with pytest.warns(UserWarning, match="quantized or has LoRA"):
        fold_batch_norm(model)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_dtype_policies(policy):
    keras.config.set_dtype_policy(policy)
    model = shaken(stack((6, 6, 3), layers.Conv2D(4, 3, name="conv")))
    new = fold_batch_norm(model)
    mine, its = model.get_layer("conv"), new.get_layer("conv")
    assert not norms(new)
    assert its.dtype_policy.name == policy
    assert its.kernel.dtype == its.bias.dtype == mine.kernel.dtype
    tolerance = {"float64": 1e-6, "mixed_bfloat16": 3e-2}.get(policy, 5e-3)
    assert_equal(model, new, rtol=tolerance)


def test_another_dtype_and_weights_that_would_overflow():
    norm = layers.BatchNormalization(name="norm", dtype="float64")
    with pytest.warns(UserWarning, match="changes the dtype"):
        fold_batch_norm(stack((4,), layers.Dense(3), norm))
    norm = layers.BatchNormalization(name="norm", dtype="float16", epsilon=1e-7)
    model = stack((4,), layers.Dense(3, dtype="float16", name="dense"), norm)
    norm.set_weights([np.full(3, one) for one in (60000.0, 0.0, 0.0, 0.0)])
    with pytest.warns(UserWarning, match="'dense' would get weights that are not finite"):
        assert norms(fold_batch_norm(model)) == ["norm"]


def test_it_is_exported_to_tflite(tmp_path):
    new = folded(stack((6, 6, 3), layers.Conv2D(4, 3, use_bias=False)))
    exported = to_tflite(new, tmp_path / "folded.tflite")
    inputs = models.batch(new)
    mine, its = models.results(new, inputs)[0], exported.predict(inputs)
    np.testing.assert_allclose(its, mine, rtol=1e-5, atol=1e-5)


def test_mobilenet():
    model = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=10
    )
    count = len(norms(model))
    new = folded(model)
    assert count == 52
    assert len(new.layers) == len(model.layers) - count


def test_residual_network_that_normalizes_first():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same")(x)
    left = []
    for block in "ab":
        z = layers.ReLU()(layers.BatchNormalization(name=f"{block}_pre")(y))
        z = layers.Conv2D(4, 1, use_bias=False)(z)
        z = layers.ReLU()(layers.BatchNormalization(name=f"{block}_1")(z))
        z = layers.Conv2D(4, 3, padding="same", use_bias=False)(layers.ZeroPadding2D(0)(z))
        z = layers.ReLU()(layers.BatchNormalization(name=f"{block}_2")(z))
        y = layers.Add()([y, layers.Conv2D(4, 1)(z)])
        left.append(f"{block}_pre")
    y = layers.ReLU()(layers.BatchNormalization(name="post")(y))
    model = keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y)))
    new = folded(model, [*left, "post"])
    assert len(new.layers) == len(model.layers) - 4


@pytest.mark.parametrize("make", [models.sequential, models.skips, models.mixed, models.transfer])
def test_models_of_every_shape(make):
    model = shaken(make())
    with_activation = make in (models.sequential, models.mixed)
    if with_activation:
        with pytest.warns(UserWarning, match="follows the activation"):
            new = fold_batch_norm(model)
    else:
        new = fold_batch_norm(model)
    assert bool(norms(new)) == with_activation
    assert_equal(model, new)


@st.composite
def cases(draw):
    inputs, channels, multiplier = (draw(st.integers(1, 4)) for _ in range(3))
    numbers = st.floats(-4, 4, width=32)
    layout = draw(st.sampled_from(["dense", "transposed", "depthwise"]))
    size = channels * multiplier if layout == "depthwise" else channels
    shape = {
        "dense": (inputs, channels),
        "transposed": (channels, inputs),
        "depthwise": (inputs, channels, multiplier),
    }[layout]

    def values(shape, elements=numbers):
        return draw(npst.arrays("float64", shape, elements=elements))

    def perhaps():
        return values(size) if draw(st.booleans()) else None

    epsilon = draw(st.sampled_from([1e-3, 1e-5, 1.0]))
    variance = values(size, st.floats(0, 9, width=32))
    statistics = (values(size), variance, perhaps(), perhaps(), epsilon)
    return layout, values(shape), perhaps(), statistics


@examples(200)
@hypothesis.given(cases())
def test_the_arithmetic(case):
    layout, kernel, bias, (mean, variance, gamma, beta, epsilon) = case
    axes = {"dense": (-1,), "transposed": (0,), "depthwise": (-2, -1)}[layout]
    places = Channels(axes=axes, bias_shape=mean.shape)
    got, offset = fold(kernel, bias, mean, variance, gamma, beta, epsilon, places)
    assert got.shape == kernel.shape
    # As a matrix of (inputs, channels), one number at a time.
    matrix, new = (
        (one.T if layout == "transposed" else one).reshape(-1, mean.size) for one in (kernel, got)
    )
    for channel in range(mean.size):
        for given in np.eye(len(matrix)):
            before = given @ matrix[:, channel] + (0.0 if bias is None else bias[channel])
            expected = (before - mean[channel]) / (variance[channel] + epsilon) ** 0.5
            expected = expected * (1.0 if gamma is None else gamma[channel])
            expected = expected + (0.0 if beta is None else beta[channel])
            result = given @ new[:, channel] + offset[channel]
            np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)
