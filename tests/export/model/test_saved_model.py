"""SavedModels: of Keras 3, of TensorFlow alone, of Keras 2; what is wrong with some."""

import importlib.util
import json
import subprocess
import sys
import warnings

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt.export import ExportError, export_all, to_tflite
from kerasopt.export.model.saved_model import SavedModel, load


def save(module, folder, **signatures):
    tf.saved_model.save(module, str(folder), signatures=signatures or None)
    return folder


class Line(tf.Module):
    """A model without Keras: `3 x + 1`, and a counter that counts its calls."""

    def __init__(self):
        super().__init__()
        self.slope = tf.Variable(np.full((4, 2), 3.0, "float32"))
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def line(self, x):
        return {"the y": tf.matmul(x, self.slope) + 1.0}


@pytest.fixture
def line(tmp_path):
    module = Line()
    return save(module, tmp_path / "line", serving_default=module.line)


def test_of_keras_in_several_modes(cnn, images, tmp_path):
    cnn.export(tmp_path / "cnn", verbose=False)
    expected = np.asarray(cnn(images))
    held = images, expected.argmax(1)
    found = export_all(str(tmp_path / "cnn"), calibration=images, validation_data=held)
    assert list(found.files) == ["float32", "float16", "dynamic", "int8"]
    assert not found.refused
    for file in found.files.values():
        assert file.report.inputs[0].name == "image"
        assert file.report.accuracy["sparse_categorical_accuracy"]["keras"] == 1.0
    np.testing.assert_allclose(found["float32"].predict(images), expected, atol=1e-5)
    assert found["int8"].report.sqnr_db > 25


def test_int8_in_and_out(cnn, images, tmp_path):
    cnn.export(tmp_path / "cnn", verbose=False)
    made = to_tflite(tmp_path / "cnn", tmp_path / "a.tflite", "int8", calibration=images, io="int8")
    assert made.report.inputs[0].dtype == "int8"
    assert not made.report.float_ops
    assert (tmp_path / "a.tflite").read_bytes() == made.bytes


def test_without_keras_and_with_names_of_its_own(line, rows):
    made = to_tflite(line, validation_data=rows)
    assert [one.name for one in made.report.inputs] == ["x"]
    assert list(made.report.agreement) == ["the y"]
    np.testing.assert_allclose(made.predict(rows)[:, 0], 3 * rows.sum(1) + 1, rtol=1e-4, atol=1e-5)


def test_the_batch_can_be_fixed(line, rows):
    made = to_tflite(line, batch_size=3, validation_data=rows)
    assert made.report.inputs[0].shape == (3, 4)
    assert made.predict(rows).shape == (120, 2)


def test_the_only_signature_has_any_name(tmp_path, rows):
    module = Line()
    save(module, tmp_path / "other", other=module.line)
    assert to_tflite(tmp_path / "other").report.sqnr_db > 80


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_two_inputs_are_not_swapped(two_inputs, mode, rng, tmp_path):
    two_inputs.export(tmp_path / "two", verbose=False)
    data = {"zebra": rng.random((120, 4), "float32"), "ant": rng.random((120, 4), "float32") * 10}
    expected = np.asarray(two_inputs([data["zebra"], data["ant"]]))
    made = to_tflite(tmp_path / "two", None, mode, calibration=data)
    assert made.report.sqnr_db > 30
    assert np.abs(made.predict(data) - expected).max() < 0.05 * np.abs(expected).max()
    # The folder does not tell which one was the first.
    for value in ([data["zebra"], data["ant"]], iter([(data["zebra"], data["ant"])])):
        with pytest.raises(ValueError, match=r"`calibration`.*dict with the keys \['ant', 'zebra'"):
            to_tflite(tmp_path / "two", None, mode, calibration=value)
    with pytest.raises(ValueError, match="`x`.*dict with the keys"):
        made.predict([data["zebra"], data["ant"]])


def test_outputs_are_in_order_whatever_the_folder_says(tmp_path, rows):
    """TensorFlow gives them in another order in each process."""
    x = keras.Input((4,), name="x")
    model = keras.Model(x, [layers.Dense(1 + i % 3, name=f"d{12 - i}")(x) for i in range(12)])
    model.export(tmp_path / "twelve", verbose=False)
    right = [np.asarray(one) for one in model(rows)]
    names = [f"output_{i}" for i in range(12)]
    made = to_tflite(tmp_path / "twelve", validation_data=(rows, right))
    report = made.report
    assert [one.name for one in report.outputs] == list(report.agreement) == names
    assert [one.shape[-1] for one in report.outputs] == [1 + i % 3 for i in range(12)]
    for name, output in zip(names, right, strict=True):
        np.testing.assert_allclose(made.predict(rows)[name], output, atol=1e-5)
    errors = [name for name in report.accuracy if name.endswith("mean_absolute_error")]
    assert errors == [f"{name}_mean_absolute_error" for name in names]
    assert max(report.accuracy[name]["keras"] for name in errors) < 1e-5

    class Named(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name=n) for n in "ba"])
        def serve(self, b, a):
            return {name: a + i * b for i, name in enumerate(("z10", "c", "z9", "a", "Z"))}

    module = Named()
    signature = SavedModel(
        save(module, tmp_path / "named", serving_default=module.serve)
    ).signature()
    assert signature.output_names == ("Z", "a", "c", "z9", "z10")
    assert [one.name for one in signature.inputs] == ["a", "b"]


def test_state_is_refused(tmp_path):
    class Counting(Line):
        @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
        def count(self, x):
            self.calls.assign_add(1)
            return {"y": x + tf.cast(self.calls, tf.float32)}

    module = Counting()
    save(module, tmp_path / "counting", serving_default=module.count)
    with pytest.raises(ExportError, match=r"AssignAddVariableOp.*keeps state"):
        to_tflite(tmp_path / "counting", validation_data=np.ones((40, 4)))


@pytest.mark.usefixtures("no_converter")
def test_loops_are_refused_in_int8(tmp_path, rng):
    keras.Sequential([keras.Input((5, 3)), layers.LSTM(4)]).export(tmp_path / "l", verbose=False)
    with pytest.raises(ExportError, match=r"model loops.*unroll=True"):
        to_tflite(tmp_path / "l", None, "int8", calibration=rng.random((120, 5, 3)))
    with pytest.raises(ExportError, match="a SavedModel has to be saved with either"):
        to_tflite(tmp_path / "l")


def test_an_unrolled_loop_is_none(tmp_path, rng):
    model = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, unroll=True)])
    model.export(tmp_path / "unrolled", verbose=False)
    made = to_tflite(tmp_path / "unrolled", None, "int8", calibration=rng.random((120, 5, 3)))
    assert made.report.sqnr_db > 20


def test_what_it_cannot_be(tmp_path):
    lookup = keras.Sequential(
        [keras.Input((1,), dtype="int32"), layers.IntegerLookup(vocabulary=[1, 5])]
    )
    lookup.export(tmp_path / "lookup", verbose=False)
    with pytest.raises(ExportError, match="LookupTableFindV2.*outside the model"):
        to_tflite(tmp_path / "lookup")
    half = keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="mixed_float16")])
    half.export(tmp_path / "half", verbose=False)
    with pytest.raises(ExportError, match="half floats.*float32"):
        to_tflite(tmp_path / "half")
    module = tf.Module()
    text = tf.function(lambda x: {"y": tf.strings.length(x)}, autograph=False)
    save(
        module, tmp_path / "t", a=text.get_concrete_function(tf.TensorSpec([None], tf.string, "x"))
    )
    with pytest.raises(ValueError, match="`model`.*'x' is text"):
        to_tflite(tmp_path / "t")


def test_signatures_that_are_missing(tmp_path):
    module = Line()
    save(module, tmp_path / "two", a=module.line, b=module.line)
    with pytest.raises(ValueError, match=r"`model`.*the signatures \['a', 'b'\]"):
        to_tflite(tmp_path / "two")
    save(tf.Module(), tmp_path / "none")
    with pytest.raises(ValueError, match="`model`.*has none"):
        export_all(tmp_path / "none")


def test_shapes_that_are_missing(tmp_path):
    module = tf.Module()
    double = tf.function(lambda x: {"y": 2.0 * x}, autograph=False)
    for name, shape in (("scalar", []), ("any", None)):
        spec = tf.TensorSpec(shape, tf.float32, "x")
        save(module, tmp_path / name, serving_default=double.get_concrete_function(spec))
        with pytest.raises(ValueError, match="`model`.*'x' has no batch axis"):
            to_tflite(tmp_path / name)


def test_weights_that_are_no_numbers(tmp_path):
    module = Line()
    module.slope.assign(np.full((4, 2), np.nan))
    save(module, tmp_path / "nan", serving_default=module.line)
    with pytest.raises(ValueError, match="`model`.*NaN"):
        to_tflite(tmp_path / "nan")


@pytest.mark.parametrize("what", ["saved_model.pb", "variables/variables.index", "no folder"])
def test_damaged_ones(line, what, tmp_path):
    if what == "no folder":
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match=r"`model`.*a folder without 'saved_model.pb'"):
            to_tflite(tmp_path / "empty")
        return
    content = (line / what).read_bytes()
    for damaged in (b"", b"text", content[: len(content) // 2], content[::-1]):
        (line / what).write_bytes(damaged)
        with pytest.raises(ValueError, match="`model`.*(TensorFlow cannot load it|signature)"):
            to_tflite(line)


_KERAS_2 = """
import sys, tf_keras
tf_keras.utils.set_random_seed(0)
model = tf_keras.Sequential([
    tf_keras.layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1), name="image"),
    tf_keras.layers.BatchNormalization(), tf_keras.layers.Flatten(), tf_keras.layers.Dropout(0.5),
    tf_keras.layers.Dense(3)])
model.compile("adam", "mse")
model.save(sys.argv[1], save_format="tf")
"""


@pytest.mark.skipif(importlib.util.find_spec("tf_keras") is None, reason="tf_keras is missing")
def test_of_keras_2(tmp_path, images):
    made = subprocess.run(
        [sys.executable, "-c", _KERAS_2, str(tmp_path / "old")], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    model = SavedModel(tmp_path / "old")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = export_all(tmp_path / "old", ["float32", "int8"], calibration=images)
    (name,) = [one.name for one in model.signature().inputs]
    expected = next(iter(model({name: images}).values()))
    np.testing.assert_allclose(found["float32"].predict(images), np.asarray(expected), atol=1e-4)
    assert found["int8"].report.sqnr_db > 20


def test_layers_are_not_known(line, rows):
    from kerasopt.export import sensitivity

    with pytest.raises(ValueError, match="exclude.*does not know its layers"):
        to_tflite(line, None, "int8", calibration=rows, exclude="top")
    with pytest.raises(ValueError, match="does not know its layers"):
        sensitivity(line, calibration=rows)


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
