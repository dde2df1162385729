import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export import to_tflite
from kerasopt.export.attribution.scopes import layers_of, named, scopes
from kerasopt.export.model.saved_model import inner_layers

layers = keras.layers


@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda t: "/" not in t), unique=True))
def test_every_path_has_a_name_of_its_own_that_tensorflow_takes(paths):
    known = scopes(paths)
    assert list(known.values()) == paths
    with tf.Graph().as_default():
        for scope, path in known.items():
            with tf.name_scope(f"{scope}/"):
                one = tf.constant(1.0, name="one")
            assert layers_of(one.op.name, known) == (path,)


def test_a_layer_called_twice_is_not_the_next_one():
    """Keras's own names of `dense` called twice and of `dense_1` are the same."""
    inputs = keras.Input((4,))
    shared, other = layers.Dense(4, name="dense"), layers.Dense(4, name="dense_1")
    model = keras.Model(inputs, layers.Dense(2, name="top")(other(shared(shared(inputs)))))
    operations = to_tflite(model).report.operations
    assert [one.layers for one in operations] == [("dense",), ("dense",), ("dense_1",), ("top",)]


def test_fused_nested_and_last_layers():
    inputs = keras.Input((8, 8, 3), name="image")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense")], name="inner")
    x = layers.ReLU(name="relu")(
        layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(inputs))
    )
    x = inner(layers.GlobalAveragePooling2D(name="pool")(x))
    model = keras.Model(inputs, [layers.Softmax(name="a")(x), layers.Dense(2, name="b")(x)])
    for mode in ("float32", "int8"):
        data = np.random.default_rng(0).random((120, 8, 8, 3))
        found = [
            one.layers
            for one in to_tflite(model, None, mode, calibration=data).report.operations
            if one.name not in ("QUANTIZE", "DEQUANTIZE")
        ]
        assert found[0][0] == "conv"
        assert "relu" in found[0]
        assert found[1:3] == [("pool",), ("inner/dense",)]
        assert sorted(found[3:]) == [("a",), ("b",)]


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_as_before(fails):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.ReLU()])
    before = [sorted(vars(layer)) for layer in model.layers]
    try:
        with named(inner_layers(model)):
            assert "call" in vars(model.layers[0])
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert [sorted(vars(layer)) for layer in model.layers] == before
    assert "call" not in vars(model.layers[0])
