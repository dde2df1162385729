"""How kernels are read: real layers of Keras, and what becomes of them where a channel goes."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.pruning import NM, Channel, Weight, mask, prune, sparsity
from kerasopt.pruning.masks.kernel_layout import Layout, layout_of
from kerasopt.pruning.patterns.pattern import as_matrix, matrix_shape

IMAGE, SERIES, FLAT = (6, 6, 4), (9, 4), (4,)


def built(layer, shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


CASES = [
    (lambda: layers.Dense(5), FLAT, "kernel"),
    (lambda: layers.Conv1D(5, 3), SERIES, "kernel"),
    (lambda: layers.Conv2D(5, 3), IMAGE, "kernel"),
    (lambda: layers.Conv2D(6, 3, groups=2), IMAGE, "kernel"),
    (lambda: layers.Conv3D(5, 2), (3, 3, 3, 2), "kernel"),
    (lambda: layers.Conv1DTranspose(5, 3), SERIES, "kernel"),
    (lambda: layers.Conv2DTranspose(5, 3), IMAGE, "kernel"),
    (lambda: layers.Conv3DTranspose(5, 2), (3, 3, 3, 2), "kernel"),
    (lambda: layers.EinsumDense("ab,bc->ac", 5), FLAT, "kernel"),
    (lambda: layers.EinsumDense("ab,cb->ac", 5), FLAT, "kernel"),
    (lambda: layers.EinsumDense("...b,cb->...c", 5), FLAT, "kernel"),
    (lambda: layers.SeparableConv2D(5, 3), IMAGE, "pointwise_kernel"),
]


@pytest.mark.parametrize(("make", "shape", "name"), CASES)
def test_a_channel_that_goes_is_an_output_that_is_zero(make, shape, name):
    layer = make()
    model = built(layer, shape)
    variable = getattr(layer, name)
    layout = layout_of(layer, variable)
    kernel = keras.ops.convert_to_numpy(variable)
    kept = layout.back(
        mask(layout.view(kernel), 0.5, pattern=layout.pattern(Channel())), kernel.shape
    )
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
    assert layout == Layout(channels=-2, outputs=(-2, -1))
    kernel = keras.ops.convert_to_numpy(variable)
    kept = mask(layout.view(kernel), 0.5, pattern=layout.pattern(Channel()))
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
        kept = layout.back(mask(layout.view(kernel), 0.5, pattern=NM(2, 4)), kernel.shape)
        # Along the inputs of one output: axis 0 of (dim, heads, key), axes 0, 1 of the other.
        inputs = np.moveaxis(kept, 0, -1) if part != "output" else kept.reshape(8, 8).T
        assert (inputs.reshape(-1, 4).sum(axis=1) == 2).all()


@pytest.mark.parametrize(
    ("equation", "shape", "inputs", "expected"),
    [
        ("abc,cde->abde", (3, 4), (None, 5, 2), Layout(inputs=1)),
        ("abcd,cde->abe", (3, 4, 2), (None, 5), Layout(inputs=2)),
        ("abc,bcd->abd", (3, 4), (3, 5), Layout(outputs=(0, 2))),  # a kernel for each b
        ("abc,bdc->abd", (3, 4), (3, 5), Layout((0, 2, 1), outputs=(0, 2))),
        ("abc,dce->abde", (3, 4), (None, 5, 2), Layout((1, 0, 2), 1)),  # outputs on both sides
        ("abc,dc->abd", (3, 4), (None, 5), Layout((1, 0))),
        ("abc,c->abc", (3, 4), (None, 4), Layout()),  # nothing is summed over
    ],
)
def test_equations(equation, shape, inputs, expected):
    layer = layers.EinsumDense(equation, inputs)
    built(layer, shape)
    layout = layout_of(layer, layer.kernel)
    assert layout == expected
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    assert np.array_equal(layout.back(layout.view(kernel), kernel.shape), kernel)


@given(st.data())
def test_back_undoes_view(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5)))
    order = data.draw(st.none() | st.permutations(range(len(shape))).map(tuple))
    inputs = data.draw(st.none() | st.integers(1, len(shape) - 1))
    layout = Layout(order, inputs)
    kernel = np.arange(np.prod(shape)).reshape(shape)
    viewed = layout.view(kernel)
    assert inputs is None or viewed.ndim == 2
    assert np.array_equal(layout.back(viewed, shape), kernel)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.Conv1DTranspose(3, 3), (9, 8)),
        (lambda: layers.Conv2DTranspose(3, 3), (6, 6, 8)),
        (lambda: layers.Conv3DTranspose(3, 2), (3, 3, 3, 8)),
        (lambda: layers.EinsumDense("ab,cb->ac", 3), (8,)),
    ],
)
def test_groups_lie_along_the_inputs_where_these_are_the_last_axis(make, shape):
    layer = make()
    model = built(layer, shape)
    prune(model, 0.5, pattern="2:4")
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    assert ((kernel.reshape(-1, 2, 4) != 0).sum(-1) == 2).all()
    assert sparsity(model).rows[0].pattern == "2:4"


@pytest.mark.parametrize("multiplier", [1, 2])
def test_wanda_compares_the_weights_of_one_output(multiplier):
    depthwise = layers.DepthwiseConv2D(4, depth_multiplier=multiplier)
    model = built(depthwise, (6, 6, 3))
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 3)) * [1.0, 100.0, 1e4]
    prune(model, 0.75, criterion="wanda", data=(x,))
    kernel = keras.ops.convert_to_numpy(depthwise.kernel)
    assert ((kernel != 0).sum((0, 1)) == 4).all()  # 4 of the 16 places of every output


def test_wanda_compares_across_axes_that_are_apart():
    layer = layers.EinsumDense("abc,bcd->abd", (3, 5))
    model = built(layer, (3, 8))
    prune(model, 0.5, criterion="wanda", data=(np.random.default_rng(0).normal(size=(9, 3, 8)),))
    assert ((keras.ops.convert_to_numpy(layer.kernel) != 0).sum(1) == 4).all()


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
    turned = Layout(order=(0, 2, 1))
    assert [turned.pattern(Channel(axis)).axis for axis in (0, 1, 2, -1, -2)] == [0, 2, 1, -1, 2]


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
