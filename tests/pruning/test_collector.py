"""What criteria need beside the weights: batches, gradients, activations."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt.pruning.criteria import Magnitude, Movement, Snip, Taylor, Wanda
from kerasopt.pruning.statistics.activations import input_norms
from kerasopt.pruning.statistics.batches import Batches
from kerasopt.pruning.statistics.collector import Collector
from kerasopt.pruning.statistics.gradients import Gradients
from kerasopt.selection import select
from tests.graph import models

RNG = np.random.default_rng(0)


def linear(**arguments):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d", **arguments)])
    model.compile("sgd", "mse")
    return model


# Batches.


@pytest.mark.parametrize("form", ["arrays", "list", "dataset", "py_dataset"])
def test_batches_of_every_form_come_in_turn(form):
    x, y = np.arange(10.0)[:, None], np.arange(10.0)

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return x[4 * index : 4 * index + 4], y[4 * index : 4 * index + 4]

    data = {
        "arrays": (x, y),
        "list": [(x[:4], y[:4]), (x[4:8], y[4:8]), (x[8:], y[8:])],
        "dataset": tf.data.Dataset.from_tensor_slices((x, y)).batch(4),
        "py_dataset": Data(),
    }[form]
    batches = Batches(data, size=4)
    first, second = batches.take(2), batches.take(3)
    begins = [float(np.asarray(batch[1])[0]) for batch in [*first, *second]]
    assert begins == [0.0, 4.0, 8.0, 0.0, 4.0]
    assert [len(batch) for batch in first] == [2, 2]


def test_structures_and_batches_without_targets():
    batches = Batches(({"a": np.zeros((5, 2)), "b": np.ones(5)}, np.zeros(5)), size=3)
    (batch,) = batches.take(1)
    assert batch[0]["a"].shape == (3, 2)
    assert [len(batch) for batch in Batches([np.zeros((2, 3))]).take(1)] == [1]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (3, TypeError),
        ("data", TypeError),
        ({"x": [1.0, 2.0]}, TypeError),
        ((batch for batch in [(1, 2)]), TypeError),
        ((np.zeros((3, 1)), np.zeros(2)), ValueError),
        ((np.zeros((0, 1)), np.zeros(0)), ValueError),
        ([], ValueError),
    ],
)
def test_wrong_data(data, error):
    with pytest.raises(error, match="`data`"):
        Batches(data).take(1)


# Gradients.


def test_gradients_of_a_linear_model():
    model = linear(kernel_regularizer=keras.regularizers.L2(0.1))
    batches = [
        (RNG.normal(size=(4, 3)).astype("float32"), RNG.normal(size=(4, 2)).astype("float32"))
        for _ in range(3)
    ]
    kernel, bias = map(np.array, model.get_weights())
    expected = [x.T @ (x @ kernel + bias - y) * 2 / y.size + 0.2 * kernel for x, y in batches]
    (mean,), (magnitude,) = Gradients(model, [model.layers[0].kernel]).over(batches)
    np.testing.assert_allclose(mean, np.mean(expected, 0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(magnitude, np.mean(np.abs(expected), 0), rtol=1e-4, atol=1e-6)


def test_gradients_leave_no_trace():
    model = models.two_in_two_out()
    x = models.batch(model)
    y = {"price": np.ones((4, 1)), "kind": np.zeros(4, "int32")}
    before = [np.array(v) for v in model.variables]
    metrics = [np.array(v) for v in model.metrics_variables]
    kernels = [target.variable for target in select(model)]
    means, _ = Gradients(model, kernels).over([(x, y)])
    assert [m.shape for m in means] == [tuple(k.shape) for k in kernels]
    assert any(np.abs(m).max() > 0 for m in means)
    for one, other in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(metrics, model.metrics_variables, strict=False):
        np.testing.assert_array_equal(one, other)
    assert all(np.asarray(v).max() == 0 for v in model.metrics_variables)


def test_a_model_that_is_not_compiled_has_no_loss():
    with pytest.raises(ValueError, match="compiled"):
        Gradients(models.sequential(), [])
    with pytest.raises(ValueError, match="targets"):
        Gradients(linear(), []).over([(np.zeros((2, 3)),)])


# Activations.


def squares(array, axis):
    return np.sqrt(np.square(np.asarray(array, float)).sum(axis))


def test_inputs_of_dense_convolution_and_depthwise_layers():
    model = models.scrambled(
        keras.Sequential(
            [
                keras.Input((6, 6, 3)),
                layers.Conv2D(4, 3, name="conv"),
                layers.DepthwiseConv2D(2, name="depth"),
                layers.Conv2DTranspose(3, 2, name="up"),
                layers.Flatten(),
                layers.Dense(2, name="top"),
            ]
        )
    )
    xs = [RNG.normal(size=(2, 6, 6, 3)).astype("float32") for _ in range(2)]
    targets = select(model)
    norms = input_norms(model, targets, [(x,) for x in xs])
    inside = keras.Model(model.inputs, [model.inputs[0], *(layer.output for layer in model.layers)])
    image, conv, depth, _, flat, _ = [
        np.concatenate(parts) for parts in zip(*(inside(x) for x in xs), strict=True)
    ]
    for norm, values, shape in zip(
        norms, (image, conv, depth, flat), [(3, 1), (4, 1), (4,), (48, 1)], strict=True
    ):
        expected = squares(values.reshape(-1, values.shape[-1]), 0).reshape(shape)
        np.testing.assert_allclose(norm, expected, rtol=1e-5)
    for norm, target in zip(norms, targets, strict=True):
        assert np.broadcast_shapes(norm.shape, target.variable.shape) == target.variable.shape


def test_inputs_of_attention_recurrent_layers_and_embeddings():
    model = models.scrambled(models.attention())
    x = RNG.normal(size=(2, 5, 8)).astype("float32")
    targets = select(model, include="attend")
    norms = input_norms(model, targets, [(x,)])
    normed = np.asarray(model.get_layer("norm")(x))
    np.testing.assert_allclose(norms[0].ravel(), squares(normed.reshape(-1, 8), 0), rtol=1e-5)
    assert norms[0].shape == (8, 1, 1)
    assert norms[-1].shape == (2, 4, 1)  # heads and their sizes are the inputs of the last one
    model = keras.Sequential(
        [keras.Input((5,)), layers.Embedding(7, 3), layers.LSTM(4), layers.Dense(1)]
    )
    words = np.array([[1, 1, 1, 2, 2], [2, 2, 2, 2, 3]])
    norms = input_norms(model, select(model), [(words,)])
    np.testing.assert_allclose(norms[0].ravel() ** 2, [0, 3, 6, 1, 0, 0, 0])
    assert [norm.shape for norm in norms] == [(7, 1), (3, 1), (4, 1), (4, 1)]
    table = np.asarray(model.layers[0].embeddings)
    np.testing.assert_allclose(norms[1].ravel(), squares(table[words].reshape(-1, 3), 0), rtol=1e-5)


def test_watching_ends_even_after_an_error():
    model = linear()
    with pytest.raises(Exception, match=r"."):
        input_norms(model, select(model), [(np.zeros((2, 9)),)])
    assert "call" not in vars(model.layers[0])
    model.predict(np.zeros((2, 3)), verbose=0)


# All together.


def test_contexts_of_each_criterion():
    model = linear()
    x, y = RNG.normal(size=(64, 3)), RNG.normal(size=(64, 2))
    targets = select(model)
    assert (
        Collector(model, targets, Magnitude().needs, Magnitude(), None)
        .collect()["d/kernel"]
        .gradient
        is None
    )
    for criterion in (Taylor(), Snip(), Wanda()):
        context = Collector(model, targets, criterion.needs, criterion, (x, y)).collect()[
            "d/kernel"
        ]
        for need in criterion.needs:
            assert getattr(context, need) is not None
        with pytest.raises(ValueError, match=rf"`data`.*{type(criterion).__name__}"):
            Collector(model, targets, criterion.needs, criterion, None)


def test_movement_adds_up_and_goes_on_from_a_state():
    model = linear()
    x, y = RNG.normal(size=(64, 3)), RNG.normal(size=(64, 2))
    targets = select(model)
    one = Collector(model, targets, Movement().needs, Movement(), (x, y), batches=1)
    first = one.collect()["d/kernel"]
    kernel = np.asarray(model.layers[0].kernel)
    np.testing.assert_allclose(first.moved, -kernel * first.gradient, rtol=1e-5)
    state = one.get_state()
    second = one.collect()["d/kernel"]
    np.testing.assert_allclose(
        second.moved, first.moved - kernel * second.gradient, rtol=1e-4, atol=1e-7
    )
    other = Collector(model, targets, Movement().needs, Movement(), (x, y), batches=1)
    other.set_state(state)
    np.testing.assert_allclose(other.collect()["d/kernel"].moved, second.moved, rtol=1e-6)
