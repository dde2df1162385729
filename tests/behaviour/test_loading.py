"""Which saved models load in a fresh process, with kerasopt and without."""

import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import kerasopt
from kerasopt.callbacks import Pruning, WeightPenalty
from kerasopt.layers import DropBlock2D, DropConnect, ScheduledDropout, StochasticDepth
from kerasopt.regularization import add_constraint, add_penalty, freeze_dropout, insert_dropout
from kerasopt.schedules import Constant
from tests.graph import models

SCRIPT = """
import sys
import keras
import numpy as np

def results(model):
    inputs = [np.full([2, *tensor.shape[1:]], 0.5, "float32") for tensor in model.inputs]
    return keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0]))[0]

for name in ("plain", "frozen"):
    print(name, float(np.sum(results(keras.saving.load_model(name + ".keras")))))
assert not any(name.startswith("kerasopt") for name in sys.modules)
try:
    keras.saving.load_model("ours.keras")
except TypeError as error:
    print("TypeError", "kerasopt>Drop" in str(error))
import kerasopt
assert "kerasopt.layers" not in sys.modules
print("ours", float(np.sum(results(kerasopt.load_model("ours.keras")))))
print("again", float(np.sum(results(keras.saving.load_model("ours.keras")))))
print("fresh", float(kerasopt.load_model("ours.keras").get_layer("scheduled").rate))
"""


def total(model):
    inputs = [np.full([2, *tensor.shape[1:]], 0.5, "float32") for tensor in model.inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0])
    return float(np.sum(keras.tree.flatten(outputs)[0]))


def plain():
    """Give a model with penalties, a constraint, masks that were held in a fit, and dropout."""
    model = insert_dropout(models.skips(), 0.3)
    add_penalty(model, 0.01)
    add_constraint(model, keras.constraints.MaxNorm(3), include=layers.Dense)
    model.compile("adam", "mse")
    model.fit(
        np.ones((4, 8, 8, 3)),
        np.ones((4, 2)),
        callbacks=[Pruning(Constant(0.5)), WeightPenalty(l1=0.1)],
        verbose=0,
    )
    return model


def ours():
    x = keras.Input((8, 8, 3))
    y = DropConnect(layers.Conv2D(3, 3, padding="same"), 0.2)(x)
    y = layers.Add()([x, StochasticDepth(0.2)(DropBlock2D(0.2, block_size=3)(y))])
    y = ScheduledDropout(0.2, name="scheduled")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, layers.Dense(1)(y))
    model.get_layer("scheduled").rate.assign(0.375)
    return model


def test_in_a_fresh_process(tmp_path):
    expected = {}
    for name, model in (
        ("plain", plain()),
        ("frozen", freeze_dropout(insert_dropout(models.with_step(), 0.3, kind="scheduled"))),
        ("ours", ours()),
    ):
        if name == "frozen":
            model = keras.Model(model.input, model.output)  # its class is the tests' own
        model.save(tmp_path / f"{name}.keras")
        expected[name] = total(model)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = dict(line.split() for line in done.stdout.splitlines())
    assert found["TypeError"] == "True"
    for name, value in expected.items():
        np.testing.assert_allclose(float(found[name]), value, rtol=1e-5)
    assert found["again"] == found["ours"]
    assert float(found["fresh"]) == 0.375


def test_what_is_no_model_is_said(tmp_path):
    (tmp_path / "text.h5").write_bytes(b"text")
    for name, said in (
        ("none.h5", "There is no such file"),
        ("text.h5", "no HDF5 file"),
        ("", "It is a folder without"),
    ):
        with pytest.raises(ValueError, match=f"`path`.*{said}"):
            kerasopt.load_model(tmp_path / name)
    with pytest.raises(TypeError, match="`path`"):
        kerasopt.load_model(None)


def test_a_keras_file_that_was_unpacked(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    shutil.unpack_archive(tmp_path / "model.keras", tmp_path / "folder", "zip")
    loaded = kerasopt.load_model(tmp_path / "folder")
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_a_loss_that_an_h5_file_does_not_hold(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", lambda right, found: keras.ops.mean((right - found) ** 2))
    model.save(tmp_path / "own.h5")
    with pytest.warns(UserWarning, match=r"own\.h5 is loaded without being compiled") as caught:
        loaded = kerasopt.load_model(tmp_path / "own.h5")
    assert caught[0].filename == __file__
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_model_of_an_h5_file_trains_on(optimizer, tmp_path):
    x, y = np.ones((8, 2)), np.ones((8, 1))
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(optimizer, "huber")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "own.h5")
    loaded = kerasopt.load_model(tmp_path / "own.h5")
    assert loaded.compiled
    assert int(loaded.optimizer.iterations) == (1 if optimizer == "sgd" else 0)
    before = loaded.get_weights()[0]
    loaded.fit(x, y, verbose=0)
    assert (loaded.get_weights()[0] != before).all()
