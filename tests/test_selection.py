"""Selection reaches every kernel, whatever holds it, and says what it leaves out."""

import re

import keras
import pytest
from keras import layers

from kerasopt.selection import own_variables, select, walk


def paths(model, **arguments):
    return [target.path for target in select(model, **arguments)]


def one(layer, shape):
    return keras.Sequential([keras.Input(shape), layer])


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Dense(3, name="l"), (4,), ["l/kernel"]),
        (layers.Conv1D(3, 2, name="l"), (4, 2), ["l/kernel"]),
        (layers.Conv2DTranspose(3, 2, name="l"), (4, 4, 2), ["l/kernel"]),
        (layers.DepthwiseConv2D(2, name="l"), (4, 4, 2), ["l/kernel"]),
        (
            layers.SeparableConv2D(3, 2, name="l"),
            (4, 4, 2),
            ["l/depthwise_kernel", "l/pointwise_kernel"],
        ),
        (layers.EinsumDense("ab,bc->ac", 5, bias_axes="c", name="l"), (4,), ["l/kernel"]),
        (layers.Embedding(9, 3, name="l"), (4,), ["l/embeddings"]),
        (
            layers.LSTM(3, name="l"),
            (4, 2),
            ["l/lstm_cell/kernel", "l/lstm_cell/recurrent_kernel"],
        ),
        (
            layers.GRU(3, dropout=0.5, name="l"),  # its bias has two axes
            (4, 2),
            ["l/gru_cell/kernel", "l/gru_cell/recurrent_kernel"],
        ),
        (
            layers.Bidirectional(layers.SimpleRNN(3, name="r"), name="l"),
            (4, 2),
            [
                f"l/{side}_r/simple_rnn_cell/{kernel}"
                for side in ("forward", "backward")
                for kernel in ("kernel", "recurrent_kernel")
            ],
        ),
        (layers.TimeDistributed(layers.Dense(3, name="d"), name="l"), (4, 2), ["l/d/kernel"]),
        (
            layers.ConvLSTM2D(3, 2, name="l"),
            (4, 5, 5, 2),
            ["l/conv_lstm_cell/kernel", "l/conv_lstm_cell/recurrent_kernel"],
        ),
    ],
)
def test_kinds_of_layers(layer, shape, expected):
    assert paths(one(layer, shape)) == expected


def test_attention_and_its_two_axis_biases():
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 3, name="a")(inputs, inputs))
    names = ["query", "key", "value", "attention_output"]
    assert paths(model) == [f"a/{name}/kernel" for name in names]
    assert paths(model, variables="biases") == [f"a/{name}/bias" for name in names]


def test_normalizations_and_scales_are_left_out_with_the_reason():
    model = keras.Sequential(
        [
            keras.Input((4, 4)),
            layers.LayerNormalization(axis=(1, 2), name="norm"),  # its gamma has two axes
            layers.PReLU(name="prelu"),
            layers.Dense(3, name="dense"),
            layers.Dropout(0.5, seed=1),
        ]
    )
    found = select(model)
    assert [target.path for target in found] == ["dense/kernel"]
    assert found.left_out == {"norm": "no kernels", "prelu": "no kernels"}


def nested():
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, name="dense"), layers.Dense(4, name="top")],
        name="inner",
    )
    inputs = keras.Input((4,))
    x = inner(inner(layers.Dense(4, name="stem")(inputs)))
    return keras.Model(inputs, layers.Dense(2, name="top")(x))


def test_nested_and_shared_models_once():
    assert paths(nested()) == [
        "stem/kernel",
        "inner/dense/kernel",
        "inner/top/kernel",
        "top/kernel",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"include": "top"}, ["inner/top", "top"]),
        ({"include": "inner/top"}, ["inner/top"]),
        ({"include": "inner"}, ["inner/dense", "inner/top"]),
        ({"include": ["st*", "inner"], "exclude": "*top"}, ["stem", "inner/dense"]),
        ({"include": re.compile("^(stem|top)$")}, ["stem", "top"]),
        ({"exclude": keras.Sequential}, ["stem", "top"]),
        ({"include": lambda layer: getattr(layer, "units", 0) == 2}, ["top"]),
        ({"include": layers.Dense, "exclude": ["inner", "top"]}, ["stem"]),
    ],
)
def test_include_and_exclude(arguments, expected):
    assert paths(nested(), **arguments) == [f"{name}/kernel" for name in expected]


def test_a_layer_itself_and_the_reasons():
    model = nested()
    found = select(model, include=model.get_layer("inner"), exclude="inner/top")
    assert [target.name for target in found] == ["inner/dense"]
    assert found.left_out == {
        "stem": "not included",
        "inner/top": "excluded",
        "top": "not included",
    }


def test_subclassed_models_and_custom_layers():
    class Mix(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 2), name="w")
            self.scale = self.add_weight(shape=(2,), name="scale")

        def call(self, x):
            return x @ self.w * self.scale

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.mixes = [Mix(name="mix"), Mix(name="mix")]

        def build(self, shape):
            self.extra = self.add_weight(shape=(2, 2), name="extra")
            super().build(shape)

        def call(self, x):
            for mix in self.mixes:
                x = mix(x)
            return x @ self.extra

    model = Net()
    model.build((None, 4))
    model(keras.ops.ones((1, 4)))
    assert paths(model) == ["net/extra", "mix/w", "mix#2/w"]


def test_walk_and_own_variables():
    model = nested()
    assert [path for path, _ in walk(model) if "input" not in path] == [
        "stem",
        "inner",
        "inner/dense",
        "inner/top",
        "top",
    ]
    assert own_variables(model) == []
    assert len(own_variables(model.get_layer("stem"))) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (
            {"include": "dens"},
            ValueError,
            "`include`.*'dens'.*Did you mean.*Its layers are: .*stem",
        ),
        ({"exclude": re.compile("conv")}, ValueError, "`exclude`"),
        ({"include": layers.Conv2D}, ValueError, "`include`.*Conv2D"),
        ({"include": 3}, TypeError, "`include`.*Received: include=3"),
        ({"include": int}, TypeError, "`include`"),
        ({"include": "stem/kernel"}, ValueError, "That is a variable: name its layer, 'stem'"),
        ({"include": lambda layer: layer.nope}, ValueError, "`include`.*AttributeError"),
        ({"exclude": layers.Dense}, ValueError, "stem: excluded"),
        ({"variables": "weights"}, ValueError, "`variables`.*'weights'"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        select(nested(), **arguments)


def test_models_that_are_none_or_not_built():
    with pytest.raises(ValueError, match="Expected a built model.*keras.Input"):
        select(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(TypeError, match="`model`. Expected a Keras 3 model"):
        select("model")
    with pytest.raises(ValueError, match="the model has no weights"):
        select(keras.Sequential([keras.Input((2,)), layers.ReLU()]))
