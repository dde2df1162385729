"""A layer that is to stay in float does, whatever it is, and whatever the converter calls it."""

import threading

import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, sensitivity, to_tflite
from kerasopt.export.accuracy_control.mixed_precision import ITSELF

layers = keras.layers
rng = np.random.default_rng(0)
IMAGES = rng.random((100, 8, 8, 4)).astype("float32")
ROWS = rng.normal(size=(100, 16)).astype("float32")
SERIES = rng.normal(size=(100, 6, 4)).astype("float32")


def after(data, *parts):
    keras.utils.set_random_seed(0)
    return data, keras.Sequential([keras.Input(data.shape[1:], name="x"), *parts])


def conv(name, **options):
    return layers.Conv2D(4, 3, padding="same", name=name, **options)


def dense(units):
    return layers.Dense(units)


MODELS = {
    "the last of a fused output": lambda: after(
        IMAGES, conv("a"), conv("x1", use_bias=False), layers.BatchNormalization(), layers.ReLU()
    ),
    "a dense output with an activation": lambda: after(
        ROWS, layers.Dense(8, name="a"), layers.Dense(4, name="x1"), layers.Activation("softmax")
    ),
    "grouped": lambda: after(IMAGES, conv("a"), conv("x1", groups=2), conv("b")),
    "grouped, the last": lambda: after(IMAGES, conv("a"), conv("x1", groups=2)),
    "depthwise": lambda: after(IMAGES, layers.DepthwiseConv2D(3, name="x1"), conv("b")),
    "separable": lambda: after(IMAGES, layers.SeparableConv2D(4, 3, name="x1"), conv("b")),
    "transposed": lambda: after(
        IMAGES, conv("a"), layers.Conv2DTranspose(4, 3, name="x1"), conv("b")
    ),
    "transposed, 1D": lambda: after(
        SERIES, layers.Conv1DTranspose(4, 3, name="x1"), layers.Flatten(), layers.Dense(3)
    ),
    "1D": lambda: after(SERIES, layers.Conv1D(4, 3, name="x1"), layers.Conv1D(4, 3)),
    "in a model": lambda: after(
        ROWS, keras.Sequential([keras.Input((16,)), layers.Dense(8)], name="x1"), layers.Dense(3)
    ),
    "in a wrapper": lambda: after(
        SERIES,
        layers.TimeDistributed(layers.Dense(5), name="x1"),
        layers.Flatten(),
        layers.Dense(3),
    ),
    "recurrent": lambda: after(SERIES, layers.LSTM(5, name="x1"), layers.Dense(3)),
}


@pytest.mark.parametrize("mode", ["int8", "weight_only"])
@pytest.mark.parametrize("kind", MODELS)
def test_it_does(kind, mode):
    data, model = MODELS[kind]()
    report = to_tflite(model, None, mode, calibration=data, exclude="x1", least_db=-100).report
    assert "x1" in report.excluded
    mine = [
        one
        for one in report.operations
        if any(path.split("/")[0] == "x1" for path in one.layers) and one.weights
    ]
    assert mine
    assert all(one.dtype == "FLOAT32" for one in mine)
    if mode == "weight_only":
        assert not [one for one in mine if one.name == "DEQUANTIZE"]
        others = [one for one in report.operations if one.name == "DEQUANTIZE"]
        if len(model.layers) > 1 and "the last" not in kind and "output" not in kind:
            assert others
    found = {one.layer for one in sensitivity(model, calibration=data, mode=mode)}
    assert any(path.split("/")[0] == "x1" for path in found)
    assert ITSELF not in found


def test_a_loop_over_time_stays_in_float_with_its_layer():
    data = rng.normal(size=(8, 200, 4)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((200, 4)), layers.LSTM(8, name="memory"), layers.Dense(3, name="top")]
    )
    whole = to_tflite(model, None, "int4", validation_data=data, least_db=-100)
    kept = to_tflite(model, None, "int4", validation_data=data, exclude="memory")
    assert kept.report.sqnr_db > whole.report.sqnr_db + 3
    assert len(kept.bytes) > len(whole.bytes)
    assert "memory" in kept.report.excluded


def test_transposed_convolutions_stay_in_float_all_or_none():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2DTranspose(4, 3, name="up"),
            layers.Conv2D(4, 3, name="between"),
            layers.Conv2DTranspose(4, 3, name="again"),
        ]
    )
    report = to_tflite(model, None, "int8", calibration=IMAGES, exclude="up").report
    assert report.excluded == ("up", "again")
    assert report.float_ops == {"TRANSPOSE_CONV": 2}
    assert any("'again' stayed in float too" in note for note in report.notes)
    assert any("weights of transposed" in note for note in report.notes)
    assert to_tflite(
        model, None, "int8", calibration=IMAGES, exclude="between"
    ).report.float_ops == {"CONV_2D": 1}


def test_equal_weights_are_one():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16,), name="x")
    twins = [layers.Dense(16, name=f"twin{n}", kernel_initializer="ones") for n in range(2)]
    outputs = layers.Dense(3, name="top")(layers.Add()([twins[0](inputs), twins[1](inputs * 2.0)]))
    model = keras.Model(inputs, outputs)
    for mode in ("weight_only", "int4"):
        assert sensitivity(model, mode=mode, validation_data=ROWS).layers
        report = to_tflite(model, None, mode, validation_data=ROWS, exclude="twin0").report
        assert report.excluded == ("twin0",)


@keras.saving.register_keras_serializable("tests")
class Block(layers.Layer):
    """Its layers have names that Keras counts up with every copy."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.second = layers.Dense(16, activation="relu"), layers.Dense(16)

    def get_config(self):
        return super().get_config()

    def build(self, shape):
        self.first.build(shape)
        self.second.build(shape)

    def call(self, x):
        return self.second(self.first(x))


def test_the_float32_copy_keeps_the_names_that_the_user_knows():
    keras.utils.set_random_seed(0)
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((16,)),
            Block(name="block", dtype=policy),
            layers.Dense(3, name="top", dtype=policy),
        ]
    )
    first = f"block/{model.get_layer('block').first.name}"
    found = [one.layer for one in sensitivity(model, calibration=ROWS)]
    assert first in found
    report = to_tflite(model, None, "int8", calibration=ROWS, exclude=first).report
    assert report.excluded == (first,)
    assert report.float_ops == {"FULLY_CONNECTED": 1}


def test_what_has_no_operation_is_said():
    _, model = after(
        ROWS, layers.Dense(8, name="a"), layers.Dropout(0.5, name="drop"), layers.Dense(3, name="b")
    )
    report = to_tflite(model, None, "int8", calibration=ROWS, exclude=["a", "drop"]).report
    assert report.excluded == ("a",)
    assert "No operation of 'drop' is in the file." in report.notes


def test_all_layers_in_float():
    _, model = after(ROWS, layers.Dense(8, name="a"), layers.Dense(3, name="b"))
    with pytest.raises(ExportError, match="in float nothing is left to quantize"):
        to_tflite(model, None, "int8", calibration=ROWS, exclude="*")
    with pytest.raises(ValueError, match="exclude.*at least one"):
        to_tflite(model, None, "int8", calibration=ROWS, exclude=[])


def test_layers_that_do_not_run_are_the_worst():
    """Zeros throughout: LiteRT does not load such a layer in int8."""
    low = keras.initializers.Constant(-9.0)
    _, model = after(
        ROWS,
        layers.Dense(8, name="a"),
        layers.Dense(8, "relu", name="dead", bias_initializer=low),
        layers.Dense(3, name="b", bias_initializer="ones"),
    )
    found = sensitivity(model, calibration=ROWS)
    assert found.layers[0].sqnr_db == -np.inf
    assert found.sqnr_db == -np.inf
    assert sum(one.share for one in found) == pytest.approx(1.0)


def test_several_outputs_count_by_the_worst():
    """Of two outputs one bears int8 and the other does not."""
    keras.utils.set_random_seed(0)
    data = ROWS * np.where(np.arange(16) == 1, 1e-3, 1.0).astype("float32")
    inputs = keras.Input((16,), name="x")
    easy = layers.Dense(2, name="easy")(inputs)
    wide = layers.Dense(16, name="wide", use_bias=False)
    hard = layers.Dense(2, name="hard", use_bias=False)
    model = keras.Model(inputs, [easy, hard(wide(inputs))])
    kernel = np.eye(16, dtype="float32")
    kernel[1, 0] = 300.0
    wide.kernel.assign(kernel)
    hard.kernel.assign(np.pad([[1.0, -1.0]], ((0, 15), (0, 0))))
    found = sensitivity(model, calibration=data)
    assert found.layers[0].layer == "wide"
    whole = to_tflite(model, None, "int8", calibration=data, least_db=-100).report
    assert found.sqnr_db == pytest.approx(
        min(one.sqnr_db for one in whole.agreement.values()), abs=1
    )
    assert found.layers[0].share == pytest.approx(
        10 ** (-found.layers[0].sqnr_db / 10) / sum(10 ** (-one.sqnr_db / 10) for one in found)
    )
    labels = [one.argmax(-1) for one in model.predict(data, verbose=0)]
    for given in (data, (data, labels)):
        report = to_tflite(
            model,
            None,
            "int8",
            calibration=data,
            validation_data=given,
            exclude="auto",
            max_accuracy_drop=0.03,
        ).report
        assert "wide" in report.excluded
        assert report.agreement["hard"].argmax >= 0.97


def test_two_threads_export_one_recurrent_model():
    _, model = after(SERIES, layers.LSTM(5), layers.Dense(3))
    found = []

    def work():
        found.append(to_tflite(model, validation_data=SERIES).report.inputs[0].shape)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [(None, 6, 4)] * 3
