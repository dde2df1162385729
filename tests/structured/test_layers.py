"""Exactness for every kind of layer: what stays gives what it gave."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasopt.layers
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import left_out
from kerasopt.graph import Graph
from kerasopt.profile import count
from kerasopt.structured import shrink
from tests.structured.exact import assert_exact, plan_of
from tests.structured.kinds import KINDS, image, series, table


@pytest.mark.parametrize("kind", KINDS)
def test_what_stays_gives_what_it_gave(kind):
    plan, _ = assert_exact(KINDS[kind]())
    lost = {name for one in plan.groups if one.after < one.before for name in one.layers}
    free = {name for one in plan.groups for name in one.layers}
    assert lost == free  # half of each group of two or more goes


@pytest.mark.parametrize("kind", KINDS)
def test_the_costs_of_the_plan_are_those_of_the_smaller_model(kind):
    plan = plan_of(KINDS[kind](), 0.4)
    small = count(plan.apply())
    for name in ("parameters", "macs", "peak_bytes", "weight_bytes"):
        assert getattr(plan.after, name) == getattr(small, name), name


@pytest.mark.parametrize("kind", KINDS)
def test_other_channels_and_fewer(kind):
    assert_exact(KINDS[kind](), 0.25, scope="global")


@pytest.mark.parametrize(
    ("build", "layer", "why"),
    [
        (lambda: image(layers.LayerNormalization(name="norm")), "first", "statistics over all"),
        (lambda: image(layers.GroupNormalization(1, name="norm")), "first", "statistics over all"),
        (lambda: image(layers.UnitNormalization(name="unit")), "first", "statistics over all"),
        (lambda: image(layers.Softmax(name="soft")), "first", "over all channels"),
        (lambda: table(layers.Activation("softmax", name="soft")), "first", "'softmax' may mix"),
        (lambda: table(layers.Dense(8, "log_softmax", name="soft")), "soft", "may mix channels"),
        (
            lambda: table(layers.Lambda(lambda x: x[:, ::-1], name="turn")),
            "first",
            "Lambda may mix",
        ),
        (
            lambda: table(layers.Rescaling(np.arange(12.0), name="r")),
            "first",
            "a constant for each",
        ),
        (lambda: series(layers.Masking(name="mask")), "first", "Masking may mix"),
        (lambda: series(layers.LSTM(6, stateful=False, name="a")), "top", "an output of the model"),
        (lambda: series(Mixing()), "first", "Mixing may mix"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_shown_to_be_safe_stays_and_is_named(build, layer, why):
    found = Trace(Graph.of(build()))
    assert why in left_out(found, {id(node.layer): node.path for node in found.graph.nodes})[layer]


class Mixing(layers.Layer):
    def call(self, x):
        return keras.ops.cumsum(x, axis=-1)


def test_a_subclass_with_a_call_of_its_own_is_not_taken_for_its_base():
    class Odd(layers.Dense):
        def call(self, inputs, training=None):
            return keras.ops.flip(super().call(inputs), axis=-1)

    class Plain(layers.Dense):
        pass

    plan = plan_of(table(Odd(8, name="odd"), Plain(8, name="plain"), layers.Dense(8, name="next")))
    lost = [one.layers for one in plan.groups]
    assert lost == [("plain",), ("next",)]
    assert "Odd may mix" in plan.left_out["first"]


@keras.saving.register_keras_serializable(package="tests")
class Tied(layers.Layer):
    """The head of a language model: the embedding's own vectors, once more."""

    def __init__(self, embedding, **kwargs):
        super().__init__(**kwargs)
        self.embedding = embedding

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.transpose(self.embedding.embeddings))

    def get_config(self):
        config = keras.saving.serialize_keras_object(self.embedding)
        return {**super().get_config(), "embedding": config}

    @classmethod
    def from_config(cls, config):
        embedding = keras.saving.deserialize_keras_object(config.pop("embedding"))
        return cls(embedding, **config)


def tied_words():
    x = keras.Input((6,), dtype="int32")
    embed = layers.Embedding(11, 8, name="embed")
    y = layers.Dense(12, activation="relu", name="wide")(embed(x))
    return keras.Model(x, Tied(embed, name="tied")(layers.Dense(8, name="back")(y)))


def spectral():
    dense = layers.Dense(8, name="dense")
    x = keras.Input((5,))
    y = layers.Dense(5, name="first")(x)
    both = [dense(y), layers.SpectralNormalization(dense, name="sn")(y)]
    y = layers.Dense(6, activation="relu", name="free")(layers.Concatenate(name="c")(both))
    return keras.Model(x, layers.Dense(2, name="top")(y))


def in_time():
    a = keras.Input((5,), name="in")
    inner = keras.Model(a, layers.Dense(6, name="dense")(a), name="inner")
    x, y = keras.Input((5,), name="x"), keras.Input((3, 5), name="y")
    seen = layers.Flatten(name="flat")(layers.TimeDistributed(inner, name="td")(y))
    z = layers.Dense(8, activation="relu", name="free")(layers.Concatenate()([inner(x), seen]))
    return keras.Model([x, y], layers.Dense(2, name="top")(z))


@pytest.mark.parametrize(
    ("build", "free"), [(tied_words, "wide"), (spectral, "free"), (in_time, "free")]
)
def test_weights_that_are_also_in_a_layer_that_is_not_followed_stay(build, free):
    plan, _ = assert_exact(build())
    assert [one.layers for one in plan.groups] == [(free,)]


def numbers_of_rows():
    x = keras.Input((3,))
    rows = keras.ops.cast(layers.Dense(8, activation="sigmoid", name="first")(x), "int32")
    y = layers.Embedding(5, 8, name="embed")(rows)
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def other_batch():
    x = keras.Input((8, 4))
    y = keras.ops.reshape(layers.Dense(16, name="first")(x), (-1, 8, 8))
    y = layers.Dense(8, name="free")(layers.Flatten(name="flat")(y))
    return keras.Model(x, layers.Dense(2, name="top")(y))


def unknown_length():
    a, b = keras.Input((5, 4)), keras.Input((None, 4))
    y = layers.Permute((2, 1))(layers.Dense(4, name="first")(layers.Permute((2, 1))(a)))
    y = layers.Concatenate(axis=1, name="c")([y, b])
    y = layers.GlobalAveragePooling1D(name="pool")(y)
    y = layers.Dense(8, name="free")(y)
    return keras.Model([a, b], layers.Dense(2, name="top")(y))


class Standardized(layers.Conv2D):
    @property
    def kernel(self):
        return self._kernel - keras.ops.mean(self._kernel, axis=(0, 1, 2), keepdims=True)


@pytest.mark.parametrize(
    ("build", "layer"),
    [
        (numbers_of_rows, "first"),
        (other_batch, "first"),
        (unknown_length, "first"),
        (lambda: image(Standardized(8, 3, name="odd"), layers.Conv2D(8, 1, name="c")), "first"),
    ],
)
def test_what_is_not_followed_is_left_alone_and_no_error(build, layer):
    model = build()
    plan = plan_of(model)
    assert layer in plan.left_out
    small = plan.apply()
    assert [one.shape for one in small.outputs] == [one.shape for one in model.outputs]


def test_layers_of_our_own_pass_channels():
    model = image(
        kerasopt.layers.ScheduledDropout(0.1, name="a"), kerasopt.layers.DropBlock2D(0.1, name="b")
    )
    assert_exact(model)


def test_what_stays_of_groups_of_different_sizes():
    model = table(layers.Dense(1, name="one"), layers.Dense(3, name="three"))
    plan = plan_of(model, 0.9)
    assert [(one.before, one.after) for one in plan.groups] == [(12, 1), (1, 1), (3, 1)]
    plan.apply()


def test_channels_that_are_joined_to_an_input_stay():
    x = keras.Input((5,))
    y = layers.Dense(5, name="first")(x)
    both = layers.Add(name="add")([x, y])
    z = layers.Dense(8, activation="relu", name="second")(layers.Concatenate(name="c")([both, x]))
    plan, _ = assert_exact(keras.Model(x, layers.Dense(2, name="top")(z)))
    assert [one.layers for one in plan.groups] == [("second",)]
    assert "cannot lose channels" in plan.left_out["first"]


def test_attention_loses_heads_and_its_width():
    plan, small = assert_exact(KINDS["attention"]())
    attend = small.get_layer("attend")
    assert attend.num_heads == 2
    assert attend.get_config()["output_shape"] is not None
    heads = [one for one in plan.groups if one.is_heads]
    assert [(one.before, one.after) for one in heads] == [(4, 2)]


def test_the_dtype_policy_and_the_names_stay():
    x = keras.Input((6,))
    y = layers.Dense(16, activation="relu", dtype="mixed_float16", name="half")(x)
    model = keras.Model(x, layers.Dense(2, dtype="float32", name="top")(y), name="mixed")
    small = shrink(model, pruning_ratio=0.5)
    assert small.name == "mixed"
    assert [one.name for one in small.layers] == [one.name for one in model.layers]
    assert small.get_layer("half").dtype_policy.name == "mixed_float16"
    assert small.get_layer("half").kernel.shape == (6, 8)
