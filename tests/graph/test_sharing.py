"""What several layers have in common they have in common in the rewritten model."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import corners, models
from tests.graph.rewriting import assert_same_results


def test_a_model_in_a_wrapper_is_the_one_that_is_called_too():
    new = Graph.of(corners.shared_with_a_wrapper()).build()
    assert new.get_layer("steps").layer is new.get_layer("part")


def test_what_is_inserted_there_is_in_the_wrapper_too():
    old = models.scrambled(corners.shared_with_a_wrapper())
    graph = Graph.of(old)
    graph.insert_after(graph.find("part/dense"), layers.Rescaling(0.0, name="nothing"))
    new = graph.build()
    assert [layer.name for layer in new.get_layer("steps").layer.layers][-1] == "nothing"
    inputs = models.batch(new)
    assert_same_results(models.results(new, inputs), new, [x + 1.0 for x in inputs])


def test_two_wrappers_of_one_layer():
    new = Graph.of(corners.shared_by_two_wrappers()).build()
    assert new.get_layer("steps_0").layer is new.get_layer("steps_1").layer
    assert len(new.weights) == 2


def test_a_replaced_layer_is_replaced_in_the_wrapper_too():
    dense, x, y = layers.Dense(4, name="dense"), keras.Input((5, 4)), keras.Input((4,))
    pooled = layers.GlobalAveragePooling1D()(layers.TimeDistributed(dense, name="steps")(x))
    graph = Graph.of(keras.Model([x, y], layers.Add(name="add")([pooled, dense(y)])))
    put_in = layers.Dense(4, name="new")
    graph.replace(graph.find("dense"), put_in, lambda old, new: new.kernel.assign(old.kernel * 2.0))
    new = graph.build()
    assert new.get_layer("steps").layer is put_in
    np.testing.assert_array_equal(put_in.kernel, dense.kernel * 2.0)


class Holder(layers.Layer):
    """A layer with layers of its own in a list, the second one from outside."""

    def __init__(self, given, units=4, **kwargs):
        super().__init__(**kwargs)
        self.parts = [layers.Dense(units, name="mine"), given, layers.Dense(units, name="last")]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def get_config(self):
        given = keras.saving.serialize_keras_object(self.parts[1])
        return {**super().get_config(), "given": given}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("given")), **config)


class Forgetful(Holder):
    @classmethod
    def from_config(cls, config):
        del config["given"]
        return cls(layers.Dense(4), **config)


def held(cls):
    dense, x = layers.Dense(4, name="dense"), keras.Input((4,))
    y = cls(dense, name="holder")(dense(x))
    return models.scrambled(keras.Model(x, layers.Dense(1, name="top")(y)))


def test_a_layer_in_a_list_of_another_layer():
    old = held(Holder)
    inputs = models.batch(old)
    new = Graph.of(old).build()
    assert new.get_layer("holder").parts[1] is new.get_layer("dense")
    assert len(new.weights) == len(old.weights)
    assert_same_results(models.results(old, inputs), new, inputs)


def test_a_class_that_cannot_share_is_named():
    with pytest.raises(ValueError, match="'holder'.*does not give 'dense'"):
        Graph.of(held(Forgetful)).build()


def test_a_weight_in_an_operation_is_that_of_the_new_layer():
    old = corners.tied_weights()
    graph = Graph.of(old)
    new = graph.build()
    [node] = [node for node in Graph.of(new).nodes if node.path.startswith("einsum")]
    assert node.args[-1] is new.get_layer("embed").embeddings


def test_a_weight_of_a_layer_that_is_called_later():
    dense = layers.Dense(4, name="late")
    dense.build((None, 4))
    x = keras.Input((4,))
    y = keras.ops.matmul(x, dense.kernel)
    old = models.scrambled(keras.Model(x, dense(layers.ReLU()(y))))
    inputs = models.batch(old)
    new = Graph.of(old).build()
    assert_same_results(models.results(old, inputs), new, inputs)
    old.get_layer("late").kernel.assign(np.zeros((4, 4)))
    assert np.abs(models.results(new, inputs)[0]).max() > 0.1


def test_a_weight_in_an_operation_that_a_replacement_lacks():
    graph = Graph.of(corners.tied_weights())
    other = layers.Embedding(9, 5, name="embed")
    graph.replace(graph.find("embed"), other, lambda old, new: None)
    graph.replace(graph.find("hidden"), layers.Dense(4, name="hidden"), lambda old, new: None)
    with pytest.raises(ValueError, match="'embed'.*operation"):
        graph.build()
