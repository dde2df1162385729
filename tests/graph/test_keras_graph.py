"""The private names of Keras that graphs and penalties lean on still do what they did."""

import keras
import numpy as np
from keras import layers

from kerasopt import _keras
from tests.graph import models


def test_calls_come_in_the_order_of_computation():
    model = models.skips()
    calls = _keras.calls(model)
    assert [call.operation.name for call in calls][:3] == ["image", "conv_a", "norm_a"]
    known = set()
    for call in calls:
        tensors = keras.tree.flatten((call.args, call.kwargs))
        given = [t for t in tensors if isinstance(t, keras.KerasTensor)]
        assert all(id(t) in known for t in given)
        known.update(map(id, call.outputs))
    assert all(id(t) in known for t in model.outputs)


def test_calls_of_a_sequential_model():
    names = [call.operation.name for call in _keras.calls(models.sequential())]
    assert names == ["given", "first", "norm", "last"]


def test_which_models_have_a_graph():
    assert _keras.has_graph(models.sequential())
    assert _keras.has_graph(models.with_step())
    assert not _keras.has_graph(keras.Sequential([layers.Dense(2)]))
    assert not _keras.has_graph(keras.Model())


def test_a_fresh_operation_is_outside_the_graph():
    model = models.operations()
    relu = next(o for o in model.operations if not isinstance(o, layers.Layer))
    copy = _keras.fresh_operation(relu)
    assert (type(copy), copy.name) == (type(relu), relu.name)
    before = len(_keras.calls(model))
    x = keras.Input((5,))
    assert keras.Model(x, copy(x)).count_params() == 0
    assert len(_keras.calls(model)) == before
    assert copy.output.shape == (None, 5)


def test_compile_arguments_are_the_objects():
    model = models.sequential()
    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, "mse", steps_per_execution=2)
    arguments = _keras.compile_arguments(model)
    assert arguments["optimizer"] is optimizer
    assert (arguments["loss"], arguments["steps_per_execution"]) == ("mse", 2)


def test_plain_classes():
    assert _keras.is_plain(models.sequential())
    assert _keras.is_plain(models.skips())
    assert not _keras.is_plain(models.with_step())
    assert _keras.saves_its_layers(models.skips())
    assert _keras.saves_its_layers(models.with_step())
    assert not _keras.saves_its_layers(layers.Dense(2))


def test_attention_has_one_regularizer_for_its_kernels():
    for layer in (layers.MultiHeadAttention(2, 3), layers.GroupQueryAttention(4, 4, 2)):
        layer(np.ones((2, 3, 8)), np.ones((2, 3, 8)))
        _keras.set_in_attention(layer, "kernel_regularizer", keras.regularizers.L2(0.5))
        assert layer.get_config()["kernel_regularizer"]["config"] == {"l2": 0.5}
