"""Masks, which Keras hands from layer to layer, survive edits that know nothing of them."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import corners, models
from tests.graph.rewriting import assert_same_results


@keras.saving.register_keras_serializable("tests")
class Steps(layers.Dense):
    """Takes a mask and hands it on, as `TimeDistributed` did before Keras 3.16."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs)


def masked():
    x = keras.Input((None, 4))
    y = layers.Masking(name="masking")(x)
    y = Steps(4, name="dense")(y)
    y = layers.BatchNormalization(name="norm")(y)
    return keras.Model(x, layers.LSTM(3, name="lstm")(y))


def padded(fill):
    inputs = np.ones((2, 5, 4), "float32")
    inputs[:, 3:] = fill
    return inputs


def assert_masks(model):
    assert_same_results(models.results(model, padded(0.0)), model, padded(0.0)[:, :3])
    one, other = (models.results(model, padded(fill))[0] for fill in (0.0, 2.0))
    assert np.abs(one - other).max() > 1e-4


def test_a_layer_that_gets_a_mask_can_be_removed():
    old = masked()
    graph = Graph.of(old)
    graph.remove(graph.find("norm"))
    new = graph.build()
    assert [layer.name for layer in new.layers][-2:] == ["dense", "lstm"]
    inputs = padded(0.0)
    assert_same_results(models.results(old, inputs), new, inputs, atol=1e-2)
    graph = Graph.of(old)
    graph.insert_after(graph.find("masking"), layers.BatchNormalization(name="more"))
    graph = Graph.of(graph.build())
    graph.remove(graph.find("more"))
    assert graph.build().get_config() == old.get_config()


def test_a_mask_that_is_an_input_is_no_second_tensor():
    graph = Graph.of(corners.a_mask_that_is_an_input())
    graph.insert_after(graph.find("x"), layers.BatchNormalization(name="norm"))
    graph.remove(graph.find("dense"))
    with pytest.raises(ValueError, match="one tensor in"):
        graph.remove(graph.find("lstm"))


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("dense", lambda: layers.Dense(4, name="dense")),
        ("norm", lambda: layers.Dense(4, activation="relu", name="new")),
        ("lstm", lambda: layers.GlobalMaxPooling1D(name="lstm")),
    ],
)
def test_what_takes_a_mask_can_be_replaced_by_what_takes_none(path, layer):
    old = masked()
    graph = Graph.of(old)
    graph.replace(graph.find(path), layer(), lambda old, new: None)
    new = graph.build()
    assert new.output_shape[-1] in (3, 4)
    assert np.isfinite(models.results(new, padded(0.0))[0]).all()
    if path != "lstm":
        assert_masks(new)


def test_what_takes_no_mask_can_be_replaced_by_what_takes_one():
    x = keras.Input((None, 4))
    y = layers.Dense(4, name="dense")(layers.Masking(name="masking")(x))
    graph = Graph.of(keras.Model(x, layers.LSTM(3, name="lstm")(y)))
    put_in = Steps(4, name="steps")
    graph.replace(graph.find("dense"), put_in)
    assert_masks(graph.build())


def test_a_mask_can_be_put_in():
    x = keras.Input((None, 4))
    graph = Graph.of(keras.Model(x, layers.LSTM(3)(layers.Dense(4, use_bias=False)(x))))
    graph.insert_after(graph.nodes[0], layers.Masking())
    assert_masks(graph.build())
