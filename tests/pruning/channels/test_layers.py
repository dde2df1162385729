"""Exactness for every kind of layer: what stays gives what it gave."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasopt.layers
from kerasopt.graph import Graph
from kerasopt.pruning import shrink
from kerasopt.pruning.channels.groups import left_out
from kerasopt.pruning.channels.trace import Trace
from tests.pruning.channels.exact import assert_exact, plan_of
from tests.pruning.channels.kinds import KINDS, image, series, table


@pytest.mark.parametrize("kind", KINDS)
def test_what_stays_gives_what_it_gave(kind):
    plan, _ = assert_exact(KINDS[kind]())
    lost = {name for one in plan.groups if one.after < one.before for name in one.layers}
    free = {name for one in plan.groups for name in one.layers}
    assert lost == free  # half of each group of two or more goes


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
    small = shrink(model, 0.5)
    assert small.name == "mixed"
    assert [one.name for one in small.layers] == [one.name for one in model.layers]
    assert small.get_layer("half").dtype_policy.name == "mixed_float16"
    assert small.get_layer("half").kernel.shape == (6, 8)
