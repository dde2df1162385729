"""A model that was trained on ImageNet, on photographs; and one that is trained here."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt.export import export_all, to_tflite

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
MOBILENET = SHARED / "data" / "mobilenet_v1_0.25_224.h5"
SIZE = 224

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:On this machine", "ignore:Calibrated on 60"),
]


def photographs(count: int) -> np.ndarray:
    """Cut parts of all sizes out of scikit-learn's two photographs, as MobileNet wants them."""
    datasets = pytest.importorskip("sklearn.datasets", reason="the photographs are scikit-learn's")
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        photograph = datasets.load_sample_images().images[number % 2]
        side = int(rng.integers(160, 427))
        top, left = (int(rng.integers(0, size - side + 1)) for size in photograph.shape[:2])
        part = photograph[top : top + side, left : left + side][:, :: rng.choice([-1, 1])]
        found.append(np.asarray(tf.image.resize(part, (SIZE, SIZE))) / 127.5 - 1.0)
    return np.stack(found).astype("float32")


@pytest.fixture(scope="module")
def mobilenet():
    if not MOBILENET.exists():
        pytest.skip("the weights are in ../shared, which is not there")
    return MOBILENET


def test_a_pretrained_mobilenet_in_every_mode(mobilenet):
    images = photographs(160)
    found = export_all(mobilenet, calibration=images[:120], validation_data=images[120:])
    assert not found.refused
    least = {"float32": 100, "float16": 30, "dynamic": 10, "int8": 10}
    alike = {"float32": 1.0, "float16": 0.95, "dynamic": 0.6, "int8": 0.5}
    for mode, file in found.files.items():
        (agreement,) = file.report.agreement.values()
        assert agreement.sqnr_db > least[mode]
        # Half of these parts of two photographs have no class of more than 27 % probability.
        assert agreement.argmax >= alike[mode]
    sizes = {mode: file.report.cost.file_bytes for mode, file in found.files.items()}
    assert sizes["float16"] < 0.55 * sizes["float32"]
    assert sizes["int8"] < 0.4 * sizes["float32"]


def test_noise_is_no_calibration_for_it(mobilenet):
    """The check finds it out: ranges of noise are not those of photographs."""
    noise = np.random.default_rng(0).uniform(-1, 1, (100, SIZE, SIZE, 3)).astype("float32")
    images = photographs(60)
    right = to_tflite(mobilenet, None, "int8", calibration=images, validation_data=images[:20])
    wrong = to_tflite(
        mobilenet, None, "int8", calibration=noise, validation_data=images[:20], least_db=-100
    )
    assert wrong.report.sqnr_db < right.report.sqnr_db - 3


def test_an_lstm_that_is_trained_here_keeps_its_accuracy():
    """In small what `benchmarks/export/accuracy.py` measures."""
    path = SHARED / "data" / "japanese_vowels.npz"
    if not path.exists():
        pytest.skip("the series are in ../shared, which is not there")
    with np.load(path) as stored:
        x, y = stored["x_train"], stored["y_train"].astype(int) - 1
        x_test, y_test = stored["x_test"], stored["y_test"].astype(int) - 1
    layers = [keras.layers.LSTM(32, unroll=True), keras.layers.Dense(9)]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(x, y, epochs=15, verbose=0)
    found = export_all(model, ["float16", "int8"], calibration=x, validation_data=(x_test, y_test))
    for mode, most in (("float16", 0.001), ("int8", 0.01)):
        both = found[mode].report.accuracy["sparse_categorical_accuracy"]
        assert both["keras"] > 0.85
        assert abs(both["keras"] - both["file"]) <= most + 1e-6
