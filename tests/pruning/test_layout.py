"""How kernels are read: real layers of Keras, and what becomes of them where a channel goes."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.pruning import NM, Channel, Weight, mask
from kerasopt.pruning.layout import Layout, layout_of
from kerasopt.pruning.matrix import as_matrix, matrix_shape

IMAGE, SERIES, FLAT = (6, 6, 4), (9, 4), (4,)


def built(layer, shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


CASES = [
    (lambda: layers.Dense(5), FLAT, "kernel", -1),
    (lambda: layers.Conv1D(5, 3), SERIES, "kernel", -1),
    (lambda: layers.Conv2D(5, 3), IMAGE, "kernel", -1),
    (lambda: layers.Conv2D(6, 3, groups=2), IMAGE, "kernel", -1),
    (lambda: layers.Conv3D(5, 2), (3, 3, 3, 2), "kernel", -1),
    (lambda: layers.Conv1DTranspose(5, 3), SERIES, "kernel", -2),
    (lambda: layers.Conv2DTranspose(5, 3), IMAGE, "kernel", -2),
    (lambda: layers.Conv3DTranspose(5, 2), (3, 3, 3, 2), "kernel", -2),
    (lambda: layers.EinsumDense("ab,bc->ac", 5), FLAT, "kernel", -1),
    (lambda: layers.EinsumDense("ab,cb->ac", 5), FLAT, "kernel", -2),
    (lambda: layers.EinsumDense("...b,cb->...c", 5), FLAT, "kernel", -2),
    (lambda: layers.SeparableConv2D(5, 3), IMAGE, "pointwise_kernel", -1),
]


@pytest.mark.parametrize(("make", "shape", "name", "axis"), CASES)
def test_a_channel_that_goes_is_an_output_that_is_zero(make, shape, name, axis):
    layer = make()
    model = built(layer, shape)
    variable = getattr(layer, name)
    layout = layout_of(layer, variable)
    kernel = keras.ops.convert_to_numpy(variable)
    pattern = layout.pattern(Channel())
    assert pattern == Channel(axis)
    kept = mask(layout.view(kernel), 0.5, pattern).reshape(kernel.shape)
    variable.assign(kernel * kept)
    outputs = keras.ops.convert_to_numpy(model(np.random.default_rng(0).normal(size=(2, *shape))))
    dead = (outputs == 0).all(axis=tuple(range(outputs.ndim - 1)))
    channels = outputs.shape[-1]
    assert dead.sum() == channels - max(round(channels * 0.5), 1)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.DepthwiseConv1D(3, depth_multiplier=2), SERIES),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), IMAGE),
        (lambda: layers.SeparableConv1D(5, 3), SERIES),
        (lambda: layers.SeparableConv2D(5, 3), IMAGE),
    ],
)
def test_depthwise_channels_are_those_of_the_input(make, shape):
    layer = make()
    model = built(layer, shape)
    variable = next(v for v in layer.weights if "pointwise" not in v.name and len(v.shape) > 2)
    layout = layout_of(layer, variable)
    assert layout == Layout(channels=-2)
    kernel = keras.ops.convert_to_numpy(variable)
    kept = mask(layout.view(kernel), 0.5, layout.pattern(Channel()))
    variable.assign(kernel * kept)
    alive = kept.any(axis=(*range(kept.ndim - 2), -1))
    assert alive.sum() == 2
    inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype("f4")
    # What the other channels hold does not matter any more.
    assert np.array_equal(model(inputs), model(np.where(alive, inputs, 99.0)))


def test_attention_counts_what_is_contracted_as_inputs():
    attention = layers.MultiHeadAttention(2, 4)
    attention.build((1, 5, 8), (1, 5, 8))
    for part, shape in [("query", (8, 8)), ("key", (8, 8)), ("value", (8, 8)), ("output", (8, 8))]:
        dense = getattr(attention, f"{part}_dense" if part != "output" else "output_dense")
        layout = layout_of(dense, dense.kernel)
        kernel = keras.ops.convert_to_numpy(dense.kernel)
        assert layout.inputs == (2 if part == "output" else 1)
        assert layout.view(kernel).shape == shape
        kept = mask(layout.view(kernel), 0.5, NM(2, 4)).reshape(kernel.shape)
        # Along the inputs of one output: axis 0 of (dim, heads, key), axes 0, 1 of the other.
        inputs = np.moveaxis(kept, 0, -1) if part != "output" else kept.reshape(8, 8).T
        assert (inputs.reshape(-1, 4).sum(axis=1) == 2).all()


@pytest.mark.parametrize(
    ("equation", "shape", "inputs", "expected"),
    [
        ("abc,cde->abde", (3, 4), (None, 5, 2), Layout(inputs=1)),
        ("abcd,cde->abe", (3, 4, 2), (None, 5), Layout(inputs=2)),
        ("abc,bcd->abd", (3, 4), (3, 5), Layout()),  # a kernel for each b
        ("abc,dce->abde", (3, 4), (None, 5, 2), Layout()),  # outputs on both sides
        ("abc,dc->abd", (3, 4), (None, 5), Layout(channels=-2)),
    ],
)
def test_equations(equation, shape, inputs, expected):
    layer = layers.EinsumDense(equation, inputs)
    built(layer, shape)
    layout = layout_of(layer, layer.kernel)
    assert layout == expected
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    assert np.array_equal(layout.view(kernel).reshape(kernel.shape), kernel)


def test_other_layers_are_read_as_they_are():
    lstm, embedding = layers.LSTM(3), layers.Embedding(7, 4)
    built(lstm, SERIES), built(embedding, (5,))
    assert layout_of(lstm.cell, lstm.cell.recurrent_kernel) == Layout()
    assert layout_of(embedding, embedding.embeddings) == Layout()
    kernel = np.ones((3, 4))
    assert Layout().view(kernel) is kernel


def test_an_axis_of_ones_own_stays():
    assert Layout(channels=-2).pattern(Channel(0)) == Channel(0)
    assert Layout(channels=-2).pattern(Weight()) == Weight()
    assert Layout().pattern(Channel()) == Channel()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)),
        ((5,), (5, 1)),
        ((0,), (0, 1)),
        ((2, 3), (2, 3)),
        ((3, 3, 4, 8), (36, 8)),
        ((4, 0), (4, 0)),
        ((0, 4), (0, 4)),
        ((2, 0, 3), (0, 3)),
    ],
)
def test_matrices(shape, expected):
    assert as_matrix(np.zeros(shape)).shape == matrix_shape(shape) == expected
