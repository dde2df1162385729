import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, to_tflite
from kerasopt.export.convert.converter import Saved

layers = keras.layers


def recurrent(unroll, kind=layers.LSTM):
    return keras.Sequential(
        [keras.Input((5, 16)), kind(24, unroll=unroll, name="memory"), layers.Dense(3, name="out")]
    )


def sentences(rng, count=120):
    return rng.normal(size=(count, 5, 16)).astype("float32")


@pytest.mark.parametrize(("mode", "least"), [("float32", 80), ("dynamic", 30), ("int8", 20)])
def test_unrolled_lstm(mode, least, rng):
    assert to_tflite(recurrent(True), None, mode, calibration=sentences(rng)).report.sqnr_db > least


def test_rolled_lstm_with_batch_one(rng):
    model = recurrent(False)
    exported = to_tflite(model, batch_size=1)
    assert exported.report.inputs[0].shape == (1, 5, 16)
    x = sentences(rng, 3)
    np.testing.assert_allclose(exported.predict(x), np.asarray(model(x)), atol=1e-5)


@pytest.mark.usefixtures("no_converter")
def test_int8_of_a_loop_is_refused_before_it_crashes(rng):
    """Over so many steps it is not unrolled."""
    model = keras.Sequential([keras.Input((None, 4)), layers.GRU(4, name="memory")])
    x = rng.normal(size=(100, 5, 4))
    for batch_size in (None, 1):
        with pytest.raises(ExportError, match=r"'memory' loops over time.*crashes.*`unroll=True`"):
            to_tflite(model, None, "int8", calibration=x, batch_size=batch_size)


class Loops(keras.layers.Layer):
    def call(self, x):
        import tensorflow as tf

        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2.0), (0, x))[1]


@pytest.mark.usefixtures("no_converter")
def test_int8_of_any_other_loop_is_refused(rng):
    model = keras.Sequential([keras.Input((4,)), Loops()])
    with pytest.raises(ExportError, match="The model loops"):
        to_tflite(model, None, "int8", calibration=rng.random((100, 4)))


def test_what_does_not_convert_says_where_it_belongs():
    model = keras.Sequential([keras.Input((4, 4, 4, 1)), layers.MaxPooling3D(2)])
    with pytest.raises(ExportError, match=r"MaxPool3D.*max_pooling3d.*outside the model"):
        to_tflite(model)


@pytest.mark.parametrize(
    "layer", [lambda: layers.IntegerLookup(vocabulary=[4, 9]), lambda: layers.Hashing(8)]
)
def test_lookups_and_hashing_are_refused_by_name(layer):
    inputs = keras.Input((1,), dtype="int64")
    table = layer()
    model = keras.Model(inputs, layers.Dense(2)(layers.Embedding(9, 2)(table(inputs))))
    with pytest.raises(ExportError, match=f"{table.name}.*outside the model"):
        to_tflite(model)


def test_stateful_layers_are_refused():
    inputs = keras.Input(batch_shape=(1, 5, 4))
    model = keras.Model(inputs, layers.LSTM(3, stateful=True, name="memory")(inputs))
    with pytest.raises(ExportError, match="'memory' is stateful"):
        to_tflite(model)


def test_what_converts_but_does_not_load_is_refused(rng):
    model = keras.Sequential(
        [keras.Input((5, 16)), layers.Masking(), layers.LSTM(8, unroll=True), layers.Dense(2)]
    )
    with pytest.raises(ExportError, match=r"converted but does not run.*Masking"):
        to_tflite(model, None, "int8", calibration=sentences(rng))


def test_a_model_quantized_by_keras_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="head")])
    model.quantize("int8")
    with pytest.raises(ValueError, match=r"'head' was quantized by Keras"):
        to_tflite(model)


def test_a_converter_that_gives_a_float_file_for_int8_is_refused(dense, rows, monkeypatch):
    float_file = to_tflite(dense).bytes
    monkeypatch.setattr(Saved, "convert", lambda *args: float_file)
    with pytest.raises(ExportError, match=r"whole model in float"):
        to_tflite(dense, None, "int8", calibration=rows)


def test_dynamic_without_large_weights_says_that_it_is_float(dense):
    with pytest.warns(UserWarning, match="fewer than 1024 entries"):
        exported = to_tflite(dense, mode="dynamic")
    assert "1024" in exported.report.notes[0]


def test_what_stays_float_is_counted(rng):
    inputs = keras.Input((6, 8))
    x = layers.Dense(16, activation="gelu")(layers.MultiHeadAttention(2, 4)(inputs, inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.LayerNormalization()(x)))
    with pytest.warns(UserWarning, match="stay in float"):
        exported = to_tflite(
            model, None, "int8", calibration=rng.normal(size=(100, 6, 8)), io="int8"
        )
    assert sum(exported.report.float_ops.values()) >= 1


def test_int16x8_is_closer_than_int8(cnn, images):
    found = {
        mode: to_tflite(cnn, mode=mode, calibration=images).report for mode in ("int8", "int16x8")
    }
    assert found["int16x8"].sqnr_db > found["int8"].sqnr_db + 6
    assert found["int16x8"].calibration_samples == 120
    assert not found["int16x8"].float_ops
    with pytest.raises(ValueError, match="`calibration`.*'int16x8'"):
        to_tflite(cnn, mode="int16x8")


def test_int16x8_of_a_gru_is_wrong_and_refused(rng):
    model = recurrent(True, layers.GRU)
    bias = model.get_layer("memory").cell.bias
    bias.assign(rng.normal(size=tuple(bias.shape)))  # all zeros hide it
    with pytest.raises(ExportError, match=r"int16x8 file does not do.*GRU"):
        to_tflite(model, None, "int16x8", calibration=sentences(rng))


def test_int16x8_of_what_has_no_such_kernel_says_what_to_use(rng):
    model = keras.Sequential([keras.Input((6,)), layers.Embedding(50, 8), layers.Flatten()])
    with pytest.raises(ExportError, match=r"int16x8"):
        to_tflite(model, None, "int16x8", calibration=rng.integers(0, 50, (120, 6)))
