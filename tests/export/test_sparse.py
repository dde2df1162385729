"""Files without their zeros: those that work, and those that LiteRT gets wrong."""

import re
import warnings

import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, to_tflite
from kerasopt.export import pipeline as building
from kerasopt.export.file.flatbuffer import structure
from kerasopt.pruning import prune

layers = keras.layers


def mlp(sparsity, pattern):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((256,), name="x"),
            layers.Dense(512, "relu"),
            layers.Dense(512, "relu"),
            layers.Dense(8),
        ]
    )
    # Kernels are (inputs, outputs), and TFLite stores them turned round: blocks lie along inputs.
    prune(model, sparsity, pattern=pattern, scope="layer")
    return model


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(120, 256)).astype("float32")


@pytest.mark.parametrize(
    ("mode", "sparsity", "pattern"),
    [("float32", 0.9, "weight"), ("float32", 0.9, "block_4x1"), ("int8", 0.9, "block_16x1")],
)
def test_what_works_is_smaller(mode, sparsity, pattern, data):
    exported = to_tflite(mlp(sparsity, pattern), None, mode, calibration=data, sparse=True)
    report = exported.report
    dense = to_tflite(mlp(sparsity, pattern), None, mode, calibration=data)
    assert report.dense_bytes == pytest.approx(len(dense.bytes), abs=64)  # names of layers
    assert report.cost.file_bytes < 0.6 * report.dense_bytes
    assert report.sqnr_db > (80 if mode == "float32" else 20)
    blocks = {one.block for one in structure(exported.bytes)[0].tensors if one.sparse}
    assert blocks == {16 if mode == "int8" else 4 if pattern == "block_4x1" else 1}
    assert "file with its zeros" in str(report)
    # Other kernels sum in another order: an integer may be rounded the other way.
    step = 1e-5 if mode == "float32" else 2e-3
    np.testing.assert_allclose(exported.predict(data), dense.predict(data), atol=step)


@pytest.mark.parametrize(
    ("mode", "pattern"),
    [("dynamic", "weight"), ("dynamic", "block_16x1"), ("int8", "weight")],
)
def test_what_does_not_is_refused_without_being_run(mode, pattern, data, monkeypatch):
    monkeypatch.setattr(building, "try_out", lambda *_: pytest.fail("It was run."))
    with pytest.raises(ExportError, match="cannot read the sparse weights.*few sparse files"):
        to_tflite(mlp(0.9, pattern), None, mode, calibration=data, sparse=True)


def test_a_dense_model_gains_nothing(data):
    with pytest.warns(UserWarning, match="The sparse file is not smaller") as caught:
        to_tflite(mlp(0.01, "weight"), validation_data=data, sparse=True)
    assert not [one for one in caught if "remain" in str(one.message)]


def test_zeros_that_were_filled_are_missed(data):
    model = mlp(0.6, "weight")
    kernel = model.layers[0].kernel
    kernel.assign(keras.ops.where(kernel == 0.0, 1e-3, kernel))
    said = r"prune left 60\.0% zeros.*of which 40\.\d% remain: a later training"
    with pytest.warns(UserWarning, match=said):
        to_tflite(model, validation_data=data, sparse=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notes = to_tflite(model, validation_data=data).report.notes
    assert re.search(said, "\n".join(notes))
