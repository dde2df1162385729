"""Models of images of any height and width: every mode, checked on several sizes."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import ExportError, benchmark, export_all, inspect, to_tflite

pytestmark = pytest.mark.filterwarnings("ignore:On this machine", "ignore:No weights became int8")
LEAST = {"float32": 100, "float16": 50, "dynamic": 30, "int8": 20, "int16x8": 30}


def pooled():
    return [layers.DepthwiseConv2D(3), layers.GlobalAveragePooling2D(), layers.Dense(3)]


def image_to_image():
    return [layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same")]  # fmt: skip


def model_of(top):
    keras.utils.set_random_seed(0)
    first = [keras.Input((None, None, 3), name="x"), layers.Conv2D(8, 3, activation="relu")]
    return keras.Sequential([*first, *top])


def images(*sizes, count=40):
    rng = np.random.default_rng(1)
    return [rng.random((count, size, size + 4, 3), "float32") for size in sizes]


@pytest.mark.parametrize("mode", LEAST)
@pytest.mark.parametrize("build", [pooled, image_to_image])
def test_each_mode(build, mode):
    model = model_of(build())
    check = [{"x": one[: 3 + i]} for i, one in enumerate(images(18, 28, 10, 18, 22))]
    made = to_tflite(
        model, None, mode, calibration=lambda: iter(images(16, 24, 9)), validation_data=check
    )
    assert made.report.sqnr_db > LEAST[mode]
    assert made.report.inputs[0].shape == (None, None, None, 3)
    for (x,) in ([part[:5]] for part in images(9, 31, 9)):  # there and back
        expected = np.asarray(model(x))
        assert np.abs(made.predict(x) - expected).max() < 0.1 * np.abs(expected).max()
    assert inspect(made.bytes).inputs[0].shape == (None, None, None, 3)
    assert benchmark(made.bytes, seconds=0.01).median_ms > 0
    assert made.benchmark(seconds=0.01).median_ms > 0


def test_a_fixed_batch_of_any_size():
    model = model_of(image_to_image())
    made = to_tflite(model, None, "int8", calibration=iter(images(16, 24, 12)), batch_size=2)
    assert made.report.inputs[0].shape == (2, None, None, 3)
    (x,) = images(10, count=3)
    assert made.predict(x).shape == model(x).shape


def test_all_modes_at_once_without_data_of_ones_own():
    found = export_all(model_of(pooled()), ["float32", "float16", "dynamic"])
    assert not found.refused


def test_a_size_that_does_not_fit_is_an_error_of_the_data():
    with pytest.raises(ValueError, match="`validation_data`. Expected data that the model runs on"):
        to_tflite(model_of(pooled()), validation_data=images(3, count=2)[0])


@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_what_needs_fixed_sizes_says_so(how):
    top = [layers.UpSampling2D(interpolation=how), layers.Conv2D(1, 1)]
    with pytest.raises(ExportError, match="fixed (sizes|height and width)") as caught:
        to_tflite(model_of(top))
    assert "UpSampling2D" in str(caught.value)
    assert "\x1b" not in str(caught.value)
