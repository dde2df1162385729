"""A graph that nobody edits builds the model it was read from, weights and all."""

import re

import keras
import numpy as np
import pytest

from kerasopt.graph import Graph
from kerasopt.selection import walk
from tests.graph import models


def layers_of(model):
    # What a composite layer makes inside itself gets the next free name each time, as on loading.
    return [(re.sub(r"_\d+(?=/|$)", "", path), type(layer)) for path, layer in walk(model)]


def assert_same(old, new, inputs):
    assert type(new) is type(old)
    assert new is not old
    assert layers_of(new) == layers_of(old)
    ids = {id(v) for v in old.variables}
    assert not any(id(v) in ids for v in new.variables)
    for mine, its in zip(old.weights, new.weights, strict=True):
        assert (mine.name, mine.dtype, mine.trainable) == (its.name, its.dtype, its.trainable)
        np.testing.assert_array_equal(mine, its)
    for (_, mine), (_, its) in zip(walk(old), walk(new), strict=True):
        assert mine.dtype_policy.name == its.dtype_policy.name
        assert mine.trainable == its.trainable
    assert old.trainable == new.trainable
    for before, after in zip(models.results(old, inputs), models.results(new, inputs), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("make", models.ALL)
def test_identity(make, tmp_path):
    old = models.scrambled(make())
    inputs = models.batch(old)
    before = models.results(old, inputs)
    weights = [np.array(w) for w in old.weights]
    new = Graph.of(old).build(copied=True)
    assert_same(old, new, inputs)
    if not isinstance(old, keras.Sequential):
        assert new.output_names == old.output_names
        assert [x.name for x in new.inputs] == [x.name for x in old.inputs]
        keras.tree.assert_same_structure(new.input, old.input)
        keras.tree.assert_same_structure(new.output, old.output)
    if make is not models.lambdas:  # whose config holds the place of a function in memory
        assert new.get_config() == old.get_config()
        new.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        for now, was in zip(models.results(loaded, inputs), before, strict=True):
            np.testing.assert_allclose(now, was, atol=1e-6)
    # The old model has not noticed.
    for mine, was in zip(old.weights, weights, strict=True):
        np.testing.assert_array_equal(mine, was)
    for now, was in zip(models.results(old, inputs), before, strict=True):
        np.testing.assert_array_equal(now, was)


def test_weights_of_a_rewritten_model_load_into_the_old_one(tmp_path):
    old = models.nested()
    new = models.scrambled(Graph.of(old).build())
    new.save_weights(tmp_path / "w.weights.h5")
    old.load_weights(tmp_path / "w.weights.h5")
    for mine, its in zip(old.weights, new.weights, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_seed_states_go_along():
    old = models.unusual()
    inputs = models.batch(old)
    old(inputs, training=True)
    new = Graph.of(old).build()
    np.testing.assert_array_equal(
        models.results(old, inputs, training=True)[0], models.results(new, inputs, training=True)[0]
    )


def test_a_shared_layer_stays_shared():
    new = Graph.of(models.shared()).build()
    assert len([layer for layer in new.layers if layer.name == "tower"]) == 1
    assert len(new.weights) == 4
    twins = Graph.of(models.shared_model()).build()
    assert len(twins.weights) == 6


def test_a_layer_shared_between_levels_stays_shared():
    dense = keras.layers.Dense(6, name="both")
    inner = keras.Sequential([keras.Input((6,)), dense], name="inner")
    x = keras.Input((6,))
    new = Graph.of(keras.Model(x, keras.layers.Dense(1, name="top")(dense(inner(x))))).build()
    assert new.get_layer("both") is new.get_layer("inner").get_layer("both")
    assert len(new.weights) == 4


def test_a_frozen_model_inside_stays_frozen():
    old = models.nested()
    old.get_layer("inner").trainable = False
    assert_same(old, Graph.of(old).build(copied=True), models.batch(old))


def test_what_was_set_on_variables_goes_along():
    old = models.attention()
    kernel = old.get_layer("attend").query_dense.kernel
    kernel.regularizer = keras.regularizers.L2(0.5)
    kernel.constraint = keras.constraints.NonNeg()
    old.get_layer("attend").key_dense.kernel.trainable = False
    new = Graph.of(old).build()
    assert not new.get_layer("attend").key_dense.kernel.trainable
    assert new.get_layer("attend").value_dense.kernel.trainable
    copy = new.get_layer("attend").query_dense.kernel
    assert copy is not kernel
    assert float(copy.regularizer.l2) == 0.5
    assert copy.constraint is not kernel.constraint
    assert isinstance(copy.constraint, keras.constraints.NonNeg)
    np.testing.assert_allclose(float(sum(new.losses)), 0.5 * np.sum(np.square(kernel)), rtol=1e-5)


def test_a_pruning_mask_stays_behind_and_an_own_penalty_does_not():
    class Mask(keras.constraints.Constraint):
        def get_config(self):
            raise TypeError("held during fit only")

    class Penalty(keras.regularizers.Regularizer):
        def __call__(self, x):
            return keras.ops.sum(x) * 0.0 + 3.0

    old = models.sequential()
    old.weights[0].constraint = Mask()
    old.weights[0].regularizer = Penalty()
    with pytest.warns(UserWarning, match="first/kernel' has no Mask: this constraint cannot"):
        new = Graph.of(old).build()
    assert new.weights[0].constraint is None
    assert float(sum(new.losses)) == 3.0


def test_words_of_a_lookup_go_along():
    lookup = keras.layers.IntegerLookup(name="lookup")
    lookup.adapt(np.array([[7], [9], [7]]))
    old = keras.Sequential([keras.Input((1,), dtype="int64"), lookup, keras.layers.Dense(1)])
    inputs = np.array([[7], [9], [1]])
    new = Graph.of(old).build()
    np.testing.assert_array_equal(models.results(old, inputs)[0], models.results(new, inputs)[0])


def test_a_layer_whose_class_is_local():
    class Twice(keras.layers.Layer):
        def __init__(self, times=1, **kwargs):
            super().__init__(**kwargs)
            self.times = times
            self.inside = keras.layers.Dense(4)

        def build(self, shape):
            self.inside.build(shape)
            super().build(shape)

        def call(self, x):
            return self.inside(x) * self.times

        def compute_output_shape(self, shape):
            return shape

        def get_config(self):
            return {**super().get_config(), "times": self.times}

    old = models.scrambled(
        keras.Sequential(
            [keras.Input((3, 4)), keras.layers.TimeDistributed(Twice(3)), Twice(5, name="own")]
        )
    )
    inputs = models.batch(old)
    new = Graph.of(old).build()
    np.testing.assert_array_equal(models.results(old, inputs)[0], models.results(new, inputs)[0])


def test_a_layer_whose_config_holds_neither_name_nor_policy():
    class Plain(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.dense = keras.layers.Dense(units, name="inside")

        def get_config(self):
            return {"units": self.dense.units}

        def call(self, x):
            return self.dense(x)

    x = keras.Input((3,))
    keras.config.set_dtype_policy("mixed_float16")
    old = models.scrambled(keras.Sequential([x, Plain(2), Plain(2)], name="all"))
    keras.config.set_dtype_policy("float32")
    new = Graph.of(old).build()
    assert [path for path, _ in walk(new)] == [path for path, _ in walk(old)]
    assert_same(old, new, models.batch(old))


def test_names_of_functions_are_put_back():
    def act(x):
        return x * 2

    old = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=act)])
    new = Graph.of(old).build()
    assert act.__name__ == "act"
    assert new.layers[0].activation is act
