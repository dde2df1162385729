"""The private names of Keras that `_keras.py` leans on: this notices when one goes away."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasopt import _keras
from kerasopt.callbacks import Pruning
from kerasopt.export import to_tflite


def model():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs))


def test_sublayers_of_models_wrappers_and_composites():
    wrapper = keras.layers.Bidirectional(keras.layers.LSTM(2, name="lstm"))
    wrapper.build((None, 4, 3))
    assert [layer.name for layer in _keras.sublayers(wrapper)] == ["forward_lstm", "backward_lstm"]
    assert [layer.name for layer in _keras.sublayers(model())][1:] == ["dense"]


@pytest.mark.parametrize("scaled", [False, True])
def test_the_averages_of_an_optimizer(scaled):
    network = model()
    optimizer = keras.optimizers.Adam(use_ema=True)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    assert list(_keras.averages(optimizer)) == []
    optimizer.build(network.trainable_variables)
    found = list(_keras.averages(optimizer))
    assert [id(v) for v, _ in found] == [id(v) for v in network.trainable_variables]
    assert all(average.shape == v.shape and average is not v for v, average in found)
    assert list(_keras.averages(keras.optimizers.SGD())) == []
    assert list(_keras.averages(None)) == []


def test_the_direction_of_a_metric():
    network = model()
    network.compile(
        "sgd", "mse", metrics=["mae", keras.metrics.AUC(name="area"), lambda y, p: p[0]]
    )
    network.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    assert _keras.direction(network, "mae") == "min"
    assert _keras.direction(network, "area") == "max"
    assert _keras.direction(network, "nothing") is None


def test_functional_sequential_and_subclassed():
    class Subclassed(keras.Model):
        pass

    class OwnFunctional(keras.Model):
        pass

    inputs = keras.Input((3,))
    assert _keras.is_functional(model())
    assert _keras.is_functional(OwnFunctional(inputs, keras.layers.ReLU()(inputs)))
    assert not _keras.is_functional(keras.Sequential([inputs]))
    assert not _keras.is_functional(Subclassed())


def test_a_new_trace():
    network = model()
    _keras.retrace(network)
    network.compile("sgd", "mse")
    network.make_train_function()
    before = network.train_function
    _keras.retrace(network)
    assert network.train_function is not before


USE_ON_ANOTHER_BACKEND = """
import keras, numpy as np, pytest
import kerasopt
from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.export import to_tflite
from kerasopt.regularization import add_penalty, insert_dropout
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
model = insert_dropout(model, 0.5)
add_penalty(model, 1e-3)
model.compile("sgd", "mse")
x = np.ones((8, 4), "float32")
y = np.ones((8, 2), "float32")
history = model.fit(x, y, epochs=2, callbacks=[EarlyStopping(monitor="loss")], verbose=0)
assert len(history.epoch) == 2
assert kerasopt.pruning.mask([1.0, 2.0], 0.5).tolist() == [False, True]
assert kerasopt.pruning.sparsity(model).total == 0
with pytest.raises(RuntimeError, match="`kerasopt.callbacks.Pruning` needs the TensorFlow backend"):
    model.fit(x, y, callbacks=[Pruning(0.5)], verbose=0)
with pytest.raises(RuntimeError, match="`kerasopt.export.to_tflite` needs the TensorFlow backend"):
    to_tflite(model)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_told_at_the_first_use(backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", USE_ON_ANOTHER_BACKEND], check=True, env=environment)


def test_the_message_for_another_backend(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    pruning = Pruning(0.5)
    pruning.set_model(model())
    with pytest.raises(RuntimeError, match=r"callbacks.Pruning.*'jax'.*KERAS_BACKEND=tensorflow"):
        pruning.on_train_begin()
    with pytest.raises(RuntimeError, match=r"export.to_tflite.*'jax'"):
        to_tflite(model())
