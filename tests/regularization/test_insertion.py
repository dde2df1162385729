"""Dropout put into models that exist."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from kerasopt.regularization import insert_dropout
from tests.graph import models


def dropouts(model):
    """Give the paths of the dropout layers in the order of computation."""
    return [n.path for n in Graph.of(model).nodes if isinstance(n.layer, layers.Dropout)]


AUTOMATIC = [
    (models.sequential, ["norm_dropout"]),
    (models.skips, ["pool_dropout", "hidden_dropout"]),
    (models.with_step, ["hidden_dropout"]),
    (
        models.nested,
        [
            "inner/inner_dense_dropout",
            "inner/deepest/d1_dropout",
            "inner/deepest/dense_dropout",
            "outer_dense_dropout",
        ],
    ),
    (models.functional_in_sequential, ["block/dense_dropout"]),
    (models.shared, ["tower_dropout", "tower_dropout_1"]),
    (models.two_in_two_out, ["l_dropout", "trunk_dropout"]),
    (models.operations, ["relu_dropout"]),
    (models.lambdas, ["hidden_dropout"]),
    (models.attention, ["hidden_dropout", "pool_dropout"]),
    (models.mixed, ["norm_dropout"]),
    (models.transfer, ["pool_dropout"]),
]


@pytest.mark.parametrize(("make", "expected"), AUTOMATIC)
def test_automatic(make, expected):
    old = models.scrambled(make())
    inputs = models.batch(old, size=16)
    before = models.results(old, inputs)
    weights = [np.array(w) for w in old.weights]
    new = insert_dropout(old, 0.5, seed=1)
    assert dropouts(new) == expected
    assert type(new) is type(old)
    for one, other in zip(before, models.results(new, inputs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert any(
        not np.array_equal(one, other)
        for one, other in zip(before, models.results(new, inputs, training=True), strict=True)
    )
    # The old model has not noticed.
    assert not dropouts(old)
    for now, was in zip(old.weights, weights, strict=True):
        np.testing.assert_array_equal(now, was)


def test_automatic_does_it_once():
    once = insert_dropout(models.skips(), 0.5)
    with pytest.raises(ValueError, match="pool_dropout"):
        insert_dropout(once, 0.5)


def test_automatic_spares_what_leads_to_the_output():
    x = keras.Input((4, 4, 3), name="x")
    y = layers.Flatten()(layers.AveragePooling2D(2, name="pool")(x))
    y = layers.Dense(6, name="hidden")(y)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.ReLU(name="relu")(y)
    y = layers.Dense(6, name="logits")(y)
    y = layers.Reshape((2, 3))(y)
    model = keras.Model(x, layers.Softmax()(y))
    assert dropouts(insert_dropout(model, 0.1)) == ["pool_dropout", "relu_dropout"]


def test_automatic_sees_dropout_behind_a_flatten_and_in_a_nested_model():
    head = keras.Sequential(
        [keras.Input((16,)), layers.Dropout(0.2), layers.Dense(2, name="top")], name="head"
    )
    x = keras.Input((4, 4, 4))
    y = layers.MaxPooling2D(name="pool")(x)
    y = layers.Dense(4, name="hidden")(y)
    model = keras.Model(x, head(layers.Flatten()(y)))
    assert dropouts(insert_dropout(model, 0.1)) == ["pool_dropout", "head/dropout"]


@pytest.mark.parametrize(
    ("make", "after", "expected"),
    [
        (models.sequential, "first", ["first_dropout"]),
        (models.skips, layers.Conv2D, ["conv_a_dropout", "conv_b_dropout"]),
        (models.skips, re.compile("^relu"), ["relu_a_dropout"]),
        (models.nested, "inner/deepest/d1", ["inner/deepest/d1_dropout"]),
        (models.nested, "inner", ["inner_dropout"]),
        (models.nested, ["outer_*", "d1"], ["inner/deepest/d1_dropout", "outer_dense_dropout"]),
        (models.shared_model, "tower", ["tower_dropout", "tower_dropout_1"]),
        (models.shared_model, "tower/t1", ["tower/t1_dropout"]),
        (models.masked, "both_ways", ["both_ways_dropout"]),
        (models.masked, [layers.Embedding, layers.LSTM], []),
        (models.attention, "attend", ["attend_dropout"]),
        (models.lambdas, lambda layer: "scaled" in layer.name, ["scaled_dropout"]),
    ],
)  # fmt: skip
def test_named(make, after, expected):
    old = models.scrambled(make())
    inputs = models.batch(old)
    if not expected:
        with pytest.raises(ValueError, match="both_ways/forward_lstm"):
            insert_dropout(old, 0.5, after=after)
        return
    new = insert_dropout(old, 0.5, after=after)
    assert dropouts(new) == expected
    for one, other in zip(models.results(old, inputs), models.results(new, inputs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_place_that_never_trains_is_named():
    with pytest.warns(UserWarning, match="after base/conv does nothing"):
        new = insert_dropout(models.transfer(), 0.5, after="conv")
    assert dropouts(new) == ["base/conv_dropout"]


def test_masks_pass_through():
    old = models.scrambled(models.masked())
    new = insert_dropout(old, 0.5, after="embed")
    words = np.array([[1, 2, 3, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        models.results(old, words)[0], models.results(new, words)[0], atol=1e-6
    )
    assert not np.allclose(models.results(new, words)[0], models.results(new, words + 1)[0])


def test_names_stay_unique():
    x = keras.Input((3,))
    y = layers.Dense(3, name="a")(x)
    y = layers.ReLU(name="a_dropout")(y)
    new = insert_dropout(keras.Model(x, layers.Dense(1)(y)), 0.5, after="a")
    assert dropouts(new) == ["a_dropout_1"]


def test_rate_and_seed():
    model = models.shared()
    new = insert_dropout(model, 0.25, seed=10)
    found = [layer for layer in new.layers if isinstance(layer, layers.Dropout)]
    assert [(layer.rate, layer.seed) for layer in found] == [(0.25, 10), (0.25, 11)]
    inputs = models.batch(model)
    again = insert_dropout(model, 0.25, seed=10)
    np.testing.assert_array_equal(
        models.results(new, inputs, training=True)[0],
        models.results(again, inputs, training=True)[0],
    )
    nothing = insert_dropout(model, 0.0)
    np.testing.assert_array_equal(
        models.results(nothing, inputs, training=True)[0], models.results(model, inputs)[0]
    )


def test_half_precision_stays_half():
    new = insert_dropout(models.mixed(), 0.5, after="half")
    assert new.get_layer("half_dropout").compute_dtype == "float16"


def test_fits_with_named_losses_and_loads_without_kerasopt(tmp_path):
    new = insert_dropout(models.two_in_two_out(), 0.3)
    inputs = models.batch(new, 8)
    y = {"price": np.ones((8, 1)), "kind": np.zeros((8,), "int32")}
    assert "kind_accuracy" in new.fit(inputs, y, verbose=0).history
    new.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert dropouts(loaded) == dropouts(new)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, float("nan")])
def test_a_wrong_rate(rate):
    with pytest.raises(ValueError, match=r"`rate`.*\[0, 1\)"):
        insert_dropout(models.sequential(), rate)


def test_wrong_arguments():
    model = models.sequential()
    with pytest.raises(TypeError, match="`rate`"):
        insert_dropout(model, "0.5")
    with pytest.raises(TypeError, match="`seed`"):
        insert_dropout(model, 0.5, seed=1.5)
    with pytest.raises(ValueError, match="`seed`"):
        insert_dropout(model, 0.5, seed=-1)
    with pytest.raises(ValueError, match="Did you mean 'first'"):
        insert_dropout(model, 0.5, after="fist")
    with pytest.raises(ValueError, match="last: this is an output"):
        insert_dropout(model, 0.5, after="last")
    with pytest.raises(TypeError, match="`after`"):
        insert_dropout(model, 0.5, after=3)
    with pytest.raises(ValueError, match="attend/query"):
        insert_dropout(models.attention(), 0.5, after="query")
    with pytest.raises(ValueError, match="floats"):
        insert_dropout(models.masked(), 0.5, after="words")
    with pytest.raises(TypeError, match="Keras 3 model"):
        insert_dropout("model", 0.5)
    linear = keras.Sequential([keras.Input((3,)), layers.Dense(1, name="only")])
    with pytest.raises(ValueError, match="only"):
        insert_dropout(linear, 0.5)


@pytest.mark.slow
def test_mobilenet():
    old = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=10)
    inputs = models.batch(old, size=2)
    new = insert_dropout(old, 0.2, after=layers.DepthwiseConv2D)
    assert len(dropouts(new)) == 17
    np.testing.assert_allclose(
        models.results(old, inputs)[0], models.results(new, inputs)[0], atol=1e-6
    )
    assert dropouts(insert_dropout(old, 0.2)) == ["global_average_pooling2d_dropout"]


def test_a_second_dropout_at_one_place_is_said_once():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, activation="relu", name="a"),
         layers.Flatten(), layers.Dense(8, activation="relu", name="b"), layers.Dense(2)]
    )  # fmt: skip
    first = insert_dropout(model, 0.1)
    with pytest.warns(UserWarning, match="behind a, b a second time") as caught:
        insert_dropout(first, 0.4, after=["a", "b"])
    assert len(caught) == 1
    with pytest.raises(ValueError, match="no dropout"):
        insert_dropout(first, 0.4)
