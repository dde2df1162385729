"""Models from files: Keras 3, Keras 2, and what is none."""

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import export_all, to_tflite
from kerasopt.export.loading import load


@pytest.fixture
def model():
    return keras.Sequential(
        [keras.Input((6, 6, 3)), layers.DepthwiseConv2D(3, name="depthwise"), layers.Flatten(),
         layers.Dense(2)]
    )  # fmt: skip


def test_a_path_does_as_well(model, tmp_path):
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).random((4, 6, 6, 3))
    for exported in (
        to_tflite(tmp_path / "model.keras"),
        export_all(str(tmp_path / "model.keras"), ["float32"])["float32"],
    ):
        np.testing.assert_allclose(exported.predict(x), model(x), rtol=1e-4, atol=1e-5)


def test_a_file_of_keras_2(model, tmp_path):
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
    with pytest.raises(TypeError, match="groups"):
        keras.models.load_model(path)
    loaded = load(path)
    assert type(loaded.get_layer("depthwise")) is layers.DepthwiseConv2D
    x = np.random.default_rng(0).random((4, 6, 6, 3))
    np.testing.assert_allclose(to_tflite(path).predict(x), model(x), rtol=1e-4, atol=1e-5)


def test_what_is_no_model(tmp_path):
    for name, content, said in (
        ("none.keras", None, "no such file"),
        ("text.keras", b"text", "something else"),
        ("text.h5", b"text", "Keras cannot load it"),
        (".", None, "It is a folder"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"`model`.*{said}"):
            load(tmp_path / name)


def test_code_in_a_file_does_not_run(tmp_path):
    keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x * 2)]).save(
        tmp_path / "model.keras"
    )
    with pytest.raises(ValueError, match="Keras cannot load it"):
        load(tmp_path / "model.keras")
