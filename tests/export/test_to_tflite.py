import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt.export import ExportError, TFLiteModel, export_all, sensitivity, to_tflite
from kerasopt.export import preparation as preparing
from kerasopt.export.convert.converter import Saved

layers = keras.layers
LEAST = {"float32": 100, "float16": 50, "dynamic": 30, "int8": 25}


def state(model):
    everything = [model, *model._flatten_layers(include_self=False)]
    return [(id(layer), sorted(vars(layer))) for layer in everything], [
        np.array(v) for v in model.variables
    ]


def same_state(left, right):
    assert left[0] == right[0]
    assert all(np.array_equal(a, b) for a, b in zip(left[1], right[1], strict=True))


@pytest.mark.parametrize("mode", LEAST)
def test_each_mode(mode, cnn, images, tmp_path):
    path = tmp_path / "model.tflite"
    exported = to_tflite(cnn, path, mode, calibration=images)
    assert path.read_bytes() == exported.bytes
    report = exported.report
    assert report.mode == mode
    assert report.sqnr_db > LEAST[mode]
    assert report.agreement["digit"].samples == 100
    assert report.compared_on == "calibration"
    assert report.calibration_samples == (120 if mode == "int8" else 0)
    assert report.cost.file_bytes == len(exported.bytes)
    assert 0 < report.cost.zipped_bytes < 2 * report.cost.file_bytes
    assert 0 < report.cost.latency.median_ms <= report.cost.latency.p95_ms
    assert report.inputs[0].name == "image"
    assert report.inputs[0].shape == (None, 8, 8, 1)
    assert report.outputs[0].name == "digit"
    assert not report.notes
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["mode"] == mode


def test_modes_shrink_the_file(cnn, images):
    sizes = [len(to_tflite(cnn, None, mode, calibration=images).bytes) for mode in LEAST]
    assert sizes[0] > 1.5 * sizes[1]
    assert sizes[0] > 2 * sizes[2]
    assert sizes[0] > 2 * sizes[3]


def test_the_model_is_left_as_it_was(images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activity_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse")
    model.fit(images, np.zeros((120, 2)), verbose=0)
    before, function = state(model), model.train_function
    config = model.get_config()
    to_tflite(model, None, "int8", calibration=images)
    same_state(before, state(model))
    assert model.train_function is function
    assert model.get_config() == config
    model.fit(images, np.zeros((120, 2)), verbose=0)


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_two_inputs_are_not_swapped(two_inputs, mode, rng):
    zebra, ant = rng.random((120, 4), "float32"), rng.random((120, 4), "float32") * 10
    expected = np.asarray(two_inputs([zebra, ant]))
    exported = to_tflite(two_inputs, None, mode, calibration=[zebra, ant])
    assert [port.name for port in exported.report.inputs] == ["zebra", "ant"]
    assert exported.report.sqnr_db > 30
    for given in ([zebra, ant], {"ant": ant, "zebra": zebra}):
        got = exported.predict(given)
        assert np.abs(got - expected).max() < 0.05 * np.abs(expected).max()
    by_name = exported._runner._run(ant=ant[:1], zebra=zebra[:1])["out"]
    assert np.abs(by_name - expected[:1]).max() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("mode", ["float32", "int8"])
def test_dict_inputs_and_dict_outputs(mode, rng):
    b, a = keras.Input((4,), name="b"), keras.Input((4,), name="a")
    model = keras.Model(
        {"b": b, "a": a},
        {"far": layers.Dense(3)(100.0 * b + a), "away": layers.Dense(2)(a)},
    )
    data = {"b": rng.random((120, 4)), "a": rng.random((120, 4)) - 3}
    exported = to_tflite(model, None, mode, calibration=data)
    assert {port.name for port in exported.report.outputs} == {"far", "away"}
    expected, got = model(data), exported.predict(data)
    assert set(got) == {"far", "away"}
    for name, values in got.items():
        right = np.asarray(expected[name])
        assert np.abs(values - right).max() < 0.05 * np.abs(right).max()


def test_many_outputs_of_one_shape_keep_their_names(rng):
    inputs = keras.Input((4,), name="x")
    names = ["zulu", "alpha", "mike", "echo"]
    model = keras.Model(inputs, [layers.Dense(3, name=name)(inputs) for name in names])
    exported = to_tflite(model)
    assert [port.name for port in exported.report.outputs] == names
    x = rng.random((5, 4), "float32")
    got = exported.predict(x)
    for name, expected in zip(names, model(x), strict=True):
        np.testing.assert_allclose(got[name], np.asarray(expected), atol=1e-5)
    report = to_tflite(model, mode="float16").report
    ratios = [one.sqnr_db for one in report.agreement.values()]
    assert report.sqnr_db == min(ratios) < max(ratios)


def test_names_that_a_file_cannot_have():
    inputs = keras.Input((4,), name="my input:0")
    other = keras.Input((4,), name="2-nd.one")
    outputs = layers.Dense(2, name="a-b.c")(layers.Add(name="Add")([inputs, other]))
    exported = to_tflite(keras.Model([inputs, other], [outputs, inputs]))
    assert [port.name for port in exported.report.inputs] == ["my_input_0", "x2_nd_one"]
    assert [port.name for port in exported.report.outputs] == ["a_b_c", "my_input_0"]
    got = exported.predict({"my input:0": np.ones((2, 4)), "2-nd.one": np.zeros((2, 4))})
    assert np.array_equal(got["my_input_0"], np.ones((2, 4)))


def test_names_that_are_words_of_python(rng):
    inputs = keras.Input((4,), name="in")
    model = keras.Model(inputs, layers.Dense(2, name="lambda")(inputs))
    exported = to_tflite(model, None, "int8", calibration={"in": rng.random((120, 4))})
    assert [port.name for port in exported.report.inputs] == ["in_"]
    assert [port.name for port in exported.report.outputs] == ["lambda"]
    assert exported.predict({"in": np.ones((3, 4))}).shape == (3, 2)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(5, activation="relu")
        self.top = layers.Dense(3)

    def call(self, x, training=False):
        return self.top(self.hidden(x))


def nested():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu")], name="inner")
    inputs = keras.Input((6,))
    return keras.Model(inputs, layers.Dense(2)(inner(inputs) + inner(2 * inputs)))


def own():
    model = Own()
    model(np.ones((1, 6)))
    return model


def built_later():
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
    model(np.ones((9, 6)))
    return model


def conv1d():
    return keras.Sequential(
        [
            keras.Input((10, 3)),
            layers.Conv1D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling1D(),
        ]
    )


def time_distributed():
    return keras.Sequential(
        [keras.Input((5, 6)), layers.TimeDistributed(layers.Dense(4)), layers.Flatten()]
    )


def depthwise():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.SeparableConv2D(4, 3),
            layers.DepthwiseConv2D(3),
            layers.UpSampling2D(),
            layers.Conv2DTranspose(2, 3),
        ]
    )


@pytest.mark.parametrize("build", [nested, own, built_later, conv1d, time_distributed, depthwise])
def test_kinds_of_models(build, rng):
    model = build()
    shape = ((None, 6) if isinstance(model, Own) else model.inputs[0].shape)[1:]
    x = rng.normal(size=(120, *shape)).astype("float32")
    exported = to_tflite(model)
    assert exported.report.compared_on == "random"
    assert exported.report.inputs[0].shape == (None, *shape)
    np.testing.assert_allclose(exported.predict(x), np.asarray(model(x)), atol=1e-4)
    assert to_tflite(model, None, "int8", calibration=x).report.sqnr_db > 20


def test_embedding_of_integers(rng):
    inputs = keras.Input((7,), dtype="int32")
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(50, 32)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(pooled))
    x = rng.integers(0, 50, (120, 7))
    np.testing.assert_allclose(to_tflite(model).predict(x), np.asarray(model(x)), atol=1e-5)
    exported = to_tflite(model, None, "int8", calibration=x, io="int8")
    assert exported.report.inputs[0].dtype == "int32"
    assert np.abs(exported.predict(x) - np.asarray(model(x))).max() < 0.01


class ArgMax(keras.layers.Layer):
    def call(self, x):
        return tf.argmax(x, axis=-1)


def test_integer_outputs(rng):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4), ArgMax()])
    exported = to_tflite(model, None, "int8", calibration=rng.normal(size=(120, 8)))
    agreement = next(iter(exported.report.agreement.values()))
    assert agreement.argmax is None
    assert agreement.equal > 0.9


def test_images_of_any_size(rng):
    model = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D()]
    )
    exported = to_tflite(model)
    assert exported.report.inputs[0].shape == (None, None, None, 3)
    for size in (9, 20, 9):
        x = rng.random((3, size, size + 1, 3), "float32")
        np.testing.assert_allclose(exported.predict(x), np.asarray(model(x)), atol=1e-5)


def test_check_data_of_ones_own(dense, rows):
    report = to_tflite(dense, validation_data=rows[:30]).report
    assert report.compared_on == "validation_data"
    assert report.agreement["y"].samples == 30


def test_few_samples_are_said_once(dense, rows, recwarn):
    exported = to_tflite(dense, None, "int8", calibration=rows[:20])
    said = [w for w in recwarn if "Calibrated on 20 samples" in str(w.message)]
    assert len(said) == 1
    assert said[0].filename == __file__
    assert any("20 samples" in note for note in exported.report.notes)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"mode": "int7"}, ValueError, r"`mode`.*Did you mean 'int8'"),
        ({"mode": "int8"}, ValueError, r"`calibration`.*data for mode 'int8'"),
        ({"mode": "int8", "calibration": np.zeros((0, 4))}, ValueError, "at least one sample"),
        ({"mode": "int8", "calibration": np.zeros(4)}, ValueError, "batch axis is missing"),
        ({"mode": "int8", "calibration": np.full((9, 4), np.inf)}, ValueError, "infinity"),
        ({"mode": "int8", "calibration": np.full((9, 4), np.nan)}, ValueError, "NaN"),
        ({"calibration": np.full((9, 4), np.nan)}, ValueError, "NaN"),
        ({"validation_data": np.zeros((9, 3))}, ValueError, "`validation_data`"),
        ({"validation_data": (np.zeros((9, 4)), [0] * 9, [1] * 9)}, ValueError, "a tuple of 3"),
        ({"validation_data": (None, [0] * 9)}, ValueError, "`validation_data`.*labels without x"),
        ({"least_db": {"int9": 8}}, ValueError, "`least_db`.*Did you mean 'int8'"),
        ({"least_db": {"int8": "8"}}, TypeError, "`least_db`"),
        ({"mode": "int7", "least_db": 8}, ValueError, "`mode`.*Did you mean 'int8'"),
        ({"io": "int8"}, ValueError, "`io`"),
        ({"path": "model.h5"}, ValueError, "`path`"),
        ({"path": "no/such/folder/model.tflite"}, ValueError, "`path`"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"batch_size": "1"}, TypeError, "`batch_size`"),
    ],
)
def test_wrong_arguments_fail_before_conversion(dense, monkeypatch, arguments, error, said):
    def never(*args, **kwargs):
        raise AssertionError("the conversion began")

    monkeypatch.setattr(preparing, "Traced", never)
    with pytest.raises(error, match=said):
        to_tflite(dense, **arguments)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (to_tflite, ["model.tflite", "int8", np.zeros((100, 4))]),
        (export_all, [["int8"], "models"]),
        (sensitivity, ["int8", np.zeros((100, 4))]),
    ],
)
def test_data_are_given_by_name(dense, function, arguments):
    with pytest.raises(TypeError, match="positional arguments"):
        function(dense, *arguments)


def test_labels_of_validation_data(dense, rows, tmp_path):
    """A tuple has labels; batches have none, whether `fit` would take theirs or not."""
    y = np.asarray(dense(rows)) + 0.1
    batches = [(rows[i : i + 60], y[i : i + 60]) for i in (0, 60)]
    dataset = tf.data.Dataset.from_tensor_slices((rows, y)).batch(50)
    for data, labelled in (
        ((rows, y), True), ((rows, None), False), ((rows,), False), (dataset, False),
        (batches.__iter__, False), ((dataset, y), True),
    ):  # fmt: skip
        report = to_tflite(dense, validation_data=data).report
        assert (report.compared_on, report.agreement["y"].samples) == ("validation_data", 120)
        error = report.accuracy.get("mean_absolute_error", {})
        assert error == (pytest.approx({"keras": 0.1, "file": 0.1}, abs=1e-5) if labelled else {})


def test_wrong_models():
    with pytest.raises(TypeError, match="`model`"):
        to_tflite(3)
    with pytest.raises(ValueError, match="`model`.*no such file"):
        to_tflite("model.keras")
    with pytest.raises(ValueError, match="a built model"):
        to_tflite(keras.Sequential([layers.Dense(2)]))
    broken = keras.Sequential([keras.Input((2,)), layers.Dense(2, name="bad")])
    broken.layers[0].kernel.assign(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match=r"finite numbers.*bad/kernel"):
        to_tflite(broken)


@pytest.fixture
def damaged(dense, monkeypatch):
    """Make the converter give the file of a model with other weights."""
    other = keras.models.clone_model(dense)
    wrong = to_tflite(other).bytes
    monkeypatch.setattr(Saved, "convert", lambda *args: wrong)
    return dense


@pytest.mark.parametrize("earlier", [b"an earlier file", None])
def test_a_wrong_file_is_refused_and_not_written(damaged, rows, tmp_path, earlier):
    path = tmp_path / "model.tflite"
    if earlier:
        path.write_bytes(earlier)
    with pytest.raises(ExportError, match=r"output 'y': -?\d+\.\d dB, expected at least 80 dB"):
        to_tflite(damaged, path, validation_data=rows)
    assert [file.name for file in tmp_path.iterdir()] == (["model.tflite"] if earlier else [])
    if earlier:
        assert path.read_bytes() == earlier


def test_a_file_that_does_not_load_is_refused(dense, monkeypatch, tmp_path):
    monkeypatch.setattr(Saved, "convert", lambda *args: b"no file at all")
    with pytest.raises(ExportError, match="converted but does not run"):
        to_tflite(dense, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_calibration_on_another_scale_is_found_by_the_check(rng):
    keras.utils.set_random_seed(11)
    model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(3)])
    x = rng.normal(size=(120, 8))
    with pytest.raises(ExportError, match=r"int8 file does not do.*calibration"):
        to_tflite(model, None, "int8", calibration=x / 50, validation_data=x)


def test_random_at_inference_is_refused():
    class Noise(keras.layers.Layer):
        def call(self, x):
            return x + tf.random.normal(tf.shape(x))

    with pytest.raises(ExportError, match=r"random at inference|converter failed"):
        to_tflite(keras.Sequential([keras.Input((4,)), Noise()]))


def test_datasets_and_generators_calibrate_alike(dense, rows):
    labels = np.zeros(len(rows))
    forms = [
        rows,
        rows.astype("float64"),
        tf.data.Dataset.from_tensor_slices((rows, labels)).batch(32),
        ((rows[i : i + 10], labels[i : i + 10]) for i in range(0, 120, 10)),
    ]
    files = [to_tflite(dense, None, "int8", calibration=form) for form in forms]
    first = files[0].predict(rows)
    assert all(np.array_equal(file.predict(rows), first) for file in files)


def test_bytes_of_images_calibrate(rng):
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    )
    x = rng.integers(0, 256, (120, 6, 6, 1), dtype=np.uint8)
    assert to_tflite(model, None, "int8", calibration=x, io="uint8").report.sqnr_db > 25


def test_another_backend_is_said(dense, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"to_tflite.*TensorFlow backend"):
        to_tflite(dense)


QUIET = """
import os, sys
import keras, numpy as np
from kerasopt.export import to_tflite
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(300), keras.layers.Dense(300)])
sys.stderr.write("BEGIN\\n"); sys.stderr.flush()
for groups in (1, 2, 4):  # grouped convolutions make Keras retrace
    conv = keras.layers.Conv2D(8, 3, groups=groups)
    grouped = keras.Sequential([keras.Input((6, 6, 4)), conv])
    to_tflite(grouped, validation_data=np.random.rand(40, 6, 6, 4))
for mode in ("float32", "dynamic", "int8"):
    to_tflite(model, None, mode, calibration=np.random.rand(100, 4)).predict(np.ones((1, 4)))
"""


def test_chatter_is_held_back():
    result = subprocess.run(
        [sys.executable, "-c", QUIET], capture_output=True, text=True, check=True
    )
    assert result.stdout == ""
    assert result.stderr.split("BEGIN\n")[1] == ""


def test_augmentation_layers_do_nothing(rng):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.RandomFlip(),
            layers.RandomRotation(0.1),
            layers.GaussianNoise(1.0),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    before = state(model)
    assert (
        to_tflite(model, None, "int8", calibration=rng.random((120, 8, 8, 3))).report.sqnr_db > 20
    )
    same_state(before, state(model))


def test_a_model_with_two_arguments_says_so():
    class Two(keras.Model):
        def call(self, x, y):
            return x + y

    model = Two()
    model(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises((ExportError, ValueError), match=r"one argument|knows its inputs"):
        to_tflite(model)


def test_type(dense):
    assert isinstance(to_tflite(dense), TFLiteModel)


def test_constant_calibration_is_refused(dense):
    with pytest.raises(ValueError, match="`calibration`. Expected samples that differ.*'x'"):
        to_tflite(dense, None, "int8", calibration=np.zeros((200, 4)))


def test_one_constant_input_of_two_is_said(two_inputs, rows):
    with pytest.warns(UserWarning, match="Input 'ant' was the same number"):
        exported = to_tflite(
            two_inputs, None, "int8", calibration={"zebra": rows, "ant": np.ones_like(rows)}
        )
    assert any("'ant'" in note for note in exported.report.notes)


def test_a_check_on_random_data_is_noted(dense, rows):
    assert any("random" in note for note in to_tflite(dense).report.notes)
    assert not any("random" in note for note in to_tflite(dense, validation_data=rows).report.notes)


def test_integer_io_outside_int8_says_what_it_needs(dense):
    with pytest.raises(ValueError, match="Integer io needs mode='int8'"):
        to_tflite(dense, io="int8")


def test_the_floor_is_changeable(cnn, images):
    found = to_tflite(cnn, None, "int8", calibration=images).report.sqnr_db
    with pytest.raises(ExportError, match=f"expected at least {found + 2:.0f} dB"):
        to_tflite(cnn, None, "int8", calibration=images, least_db=found + 2)
    with pytest.raises(ExportError, match=f"expected at least {found + 2:.0f} dB"):
        to_tflite(cnn, None, "int8", calibration=images, least_db={"int8": found + 2})
    # Of another mode, so the usual one holds.
    assert to_tflite(cnn, None, "int8", calibration=images, least_db={"float16": 999}).bytes
    model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(3)])
    x = np.random.default_rng(0).normal(size=(120, 8))
    with pytest.raises(ExportError):
        to_tflite(model, None, "int8", calibration=x / 50, validation_data=x)
    assert (
        to_tflite(
            model, None, "int8", calibration=x / 50, validation_data=x, least_db=-50
        ).report.sqnr_db
        < 8
    )
    with pytest.raises(TypeError, match="`least_db`"):
        to_tflite(cnn, least_db="8")
