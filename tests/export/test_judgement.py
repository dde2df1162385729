"""Files that convert, run, have a good ratio in dB, and are of no use: refused, with the cure."""

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.metrics import r2_score

from kerasopt.export import ExportError, export_all, to_tflite
from kerasopt.export.preparation import prepare
from kerasopt.export.validation.accuracy import Judged
from kerasopt.export.validation.usefulness import DOUBTFUL, USELESS
from kerasopt.export.validation.validator import file_outputs

HOUSING = Path(__file__).parents[3] / "shared" / "data" / "housing.csv"
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 6)).astype("float32")


def scaled(scales, biases, name="top"):
    """A model whose outputs are of these scales and means."""
    keras.utils.set_random_seed(0)
    hidden, top = layers.Dense(16, "tanh", name="hidden"), layers.Dense(len(scales), name=name)
    model = keras.Sequential([keras.Input((6,), name="x"), hidden, top])
    top.kernel.assign(top.kernel.numpy() * np.array(scales, "float32"))
    top.bias.assign(np.array(biases, "float32"))
    return model


@pytest.fixture(scope="module")
def weather():
    return scaled([8.0, 1.0], [1013.0, 0.0])


def test_a_pressure_and_a_logit_in_one_output(weather):
    labels = {"labels": ["pressure", "rain"]}
    with pytest.raises(ExportError) as caught:
        to_tflite(weather, None, "int8", calibration=ROWS, metadata=labels)
    said = str(caught.value)
    assert "of no use" in said
    assert "ntry 1 ('rain') of output 'top' keeps none of its variance" in said
    assert "outputs of their own" in said
    assert "With `exclude=['top']` it is sound" in said
    assert "`least_variance`, now 0.5" in said
    report = to_tflite(weather, None, "int8", calibration=ROWS, exclude="top").report
    assert report.agreement["top"].fidelity.worst.variance > 0.95
    assert not any("is coarse" in one for one in report.warnings)


def test_the_user_can_take_it_all_the_same(weather):
    for given in (
        {"least_variance": -float("inf")},
        {"least_variance": -1e6, "validation_data": (ROWS, weather.predict(ROWS, verbose=0))},
        {"least_db": 5.0},
    ):
        with pytest.warns(UserWarning, match="is of no use.*ntry 1 of output 'top'"):
            report = to_tflite(weather, None, "int8", calibration=ROWS, **given).report
        assert report.sqnr_db > 50
        assert report.agreement["top"].fidelity.worst.distinct <= 2
    # A ratio above the usual one is asked for on top of it.
    with pytest.raises(ExportError, match="of no use"):
        to_tflite(weather, None, "int8", calibration=ROWS, least_db=20.0)
    with pytest.raises(ValueError, match="`least_variance`.*up to 1"):
        to_tflite(weather, least_variance=80)


def test_other_modes_of_it_are_made(weather):
    found = export_all(weather, ["float16", "int8"], calibration=ROWS)
    assert list(found.files) == ["float16"]
    assert "of no use" in found.refused["int8"]
    assert "int8" in export_all(weather, ["int8"], calibration=ROWS, least_variance=-1e6).files


def test_boxes_and_scores_in_one_output():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,), name="x")
    hidden = layers.Dense(24, "relu", name="hidden")(inputs)
    boxes = layers.Dense(4, "sigmoid", name="boxes")(hidden) * 300.0
    scores = layers.Dense(1, "sigmoid", name="scores")(hidden)
    both = layers.Concatenate(name="both")([boxes, scores])
    with pytest.raises(ExportError, match=r"ntry 4 of output 'both' keeps.*outputs of their own"):
        to_tflite(keras.Model(inputs, both), None, "int8", calibration=ROWS)
    apart = to_tflite(keras.Model(inputs, [boxes, scores]), None, "int8", calibration=ROWS).report
    assert not apart.warnings


def test_both_kernels_are_run_where_a_microcontroller_may(cnn, images):
    made = to_tflite(cnn, None, "int8", calibration=images, io="int8")
    report = made.report
    mine, theirs = report.agreement["digit"], report.reference["digit"]
    assert mine.samples == theirs.samples == 100
    assert theirs.argmax > 0.9
    assert "output digit, reference kernels" in str(report)
    assert "output digit, reference kernels" in report.to_markdown()
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["reference"]["digit"]["sqnr_db"] == pytest.approx(theirs.sqnr_db)
    assert not to_tflite(cnn, None, "int8", calibration=images).report.reference


def test_what_the_reference_kernels_give_is_judged(monkeypatch, dense, rows):
    """They are made worse here: of a sound file they differ by less than is refused."""

    def worse(file, signature, samples, reference=False):
        found = file_outputs(file, signature, samples, reference)
        return {name: one * (not reference) for name, one in found.items()}

    monkeypatch.setattr("kerasopt.export.validation.validator.file_outputs", worse)
    said = "By the reference kernels, which microcontrollers compute: .*output 'y' keeps none"
    with pytest.raises(ExportError, match=said):
        to_tflite(dense, None, "int8", calibration=rows, io="uint8")


def test_of_a_large_model_they_run_fewer_samples(monkeypatch, dense, rows):
    monkeypatch.setattr("kerasopt.export.validation.validator._REFERENCE_MACS", 4 * 3 * 20)
    report = to_tflite(dense, None, "int8", calibration=rows, io="int8").report
    assert report.reference["y"].samples == 20
    assert report.reference["y"].sqnr_db > 20
    assert "20 samples" in dict(report.facts())["output y, reference kernels"]


@pytest.fixture(scope="module")
def houses():
    """A model of log(price) with its Normalization inside, as in many guides."""
    if not HOUSING.exists():
        pytest.skip("the table is in ../shared, which is not there")
    with HOUSING.open() as file:
        table = [row[:9] for row in csv.reader(file)][1:]
    data = np.array([[float(one) for one in row] for row in table if all(row)], "float32")
    data = data[np.random.default_rng(0).permutation(len(data))[:6000]]
    x, y = data[:, :8], np.log(data[:, 8])
    keras.utils.set_random_seed(1)
    norm = layers.Normalization(name="norm")
    norm.adapt(x)
    bias = keras.initializers.Constant(12.0)
    model = keras.Sequential(
        [keras.Input((8,)), norm, layers.Dense(32, "relu"),
         layers.Dense(1, bias_initializer=bias, name="price")]
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(x[:5000], y[:5000], epochs=10, batch_size=128, verbose=0)
    return model, x, y


def test_a_price_whose_normalization_does_not_bear_int8(houses):
    model, x, y = houses
    given, labelled = {"calibration": x[:300]}, (x[5000:], y[5000:])
    with pytest.raises(ExportError, match=r"'price' keeps none .*`exclude=\['norm'\]` it is sound"):
        to_tflite(model, None, "int8", **given, validation_data=x[5000:])
    with pytest.raises(ExportError, match="R2 of output 'price' is -.*, in Keras 0.7"):
        to_tflite(model, None, "int8", **given, validation_data=labelled)
    made = to_tflite(model, None, "int8", **given, validation_data=labelled, exclude="norm*")
    right = r2_score(y[5000:], model.predict(x[5000:], verbose=0))
    both = made.report.accuracy["r2_score"]
    assert both["keras"] == pytest.approx(right, abs=1e-5)
    assert both["file"] == pytest.approx(r2_score(y[5000:], made.predict(x[5000:])), abs=1e-5)
    assert both["file"] > 0.95 * right
    assert "r2 score" in str(made.report)
    assert not any("is coarse" in one for one in made.report.warnings)


@keras.saving.register_keras_serializable()
class Near(keras.metrics.Mean):
    """Share of the predictions that are off by less than 3 % of the label."""

    def __init__(self, name="near", **kwargs):
        super().__init__(name, **kwargs)
        self._direction = "up"

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = keras.ops.reshape(y_pred, keras.ops.shape(y_true))
        near = keras.ops.abs(y_pred - y_true) < 0.03 * keras.ops.abs(y_true)
        super().update_state(keras.ops.cast(near, "float32"), sample_weight)


@pytest.fixture(scope="module")
def amounts():
    """Amounts of money, most of them small: the large ones have nearly all of the variance."""
    x = np.random.default_rng(0).uniform(0.0, 9.0, (300, 1)).astype("float32")
    model = keras.Sequential([keras.Input((1,), name="x"), layers.Activation("exponential")])
    return model, x, np.exp(x[:, 0])


def off(y_true, y_pred):
    """A function, which nobody knows to be better upwards or downwards."""
    return keras.ops.abs(y_true - keras.ops.reshape(y_pred, keras.ops.shape(y_true)))


def test_a_metric_of_the_users_own_refuses_what_r2_does_not(amounts):
    model, x, y = amounts
    model.compile("sgd", "mse", metrics=[off])
    report = to_tflite(model, None, "int8", calibration=x, validation_data=(x, y)).report
    assert report.accuracy["r2_score"]["file"] > 0.99
    assert not any("compiled metric" in one for one in report.warnings)
    model.compile("sgd", "mse", metrics=[Near(), off, "mean_absolute_percentage_error"])
    with pytest.raises(
        ExportError, match=r"of no use.*compiled metric 'near' is 0\.\d+, in Keras 1"
    ):
        to_tflite(model, None, "int8", calibration=x, validation_data=(x, y))
    with pytest.warns(UserWarning, match="is of no use.*'near' is"):
        to_tflite(
            model, None, "int8", calibration=x, validation_data=(x, y), least_variance=-float("inf")
        )
    assert not to_tflite(model, validation_data=(x, y)).report.warnings


# Metrics, labels of the file's samples, and what is made of the model's outputs for the file.
OUTPUTS = {
    "AUC": (["AUC"], "binary", lambda rng, y: 0.02 * y[rng.permutation(len(y))], USELESS),
    "Recall": ([keras.metrics.Recall(0.02)], "binary", lambda _, y: 0.3 * y, USELESS),
    "the same": (["AUC", "Precision"], "binary", lambda _, y: y, None),
    "cross-entropy": (["binary_crossentropy"], "binary", lambda _, y: np.round(y, 0), DOUBTFUL),
    "top 2": (
        [keras.metrics.SparseTopKCategoricalAccuracy(2)],
        "classes",
        lambda rng, y: y[rng.permutation(len(y))],
        USELESS,
    ),
    "F1 of classes": (
        [keras.metrics.F1Score()], "onehot", lambda rng, y: rng.permuted(y, axis=0), USELESS
    ),
    "RMSE": (
        ["root_mean_squared_error"], "numbers", lambda rng, y: y[rng.permutation(len(y))], USELESS
    ),
    "a little": (
        ["root_mean_squared_error"], "numbers", lambda rng, y: y + rng.normal(0, 0.2, y.shape),
        DOUBTFUL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTPUTS)
def test_built_in_metrics_judge_too(case, monkeypatch):
    metrics, kind, made, level = OUTPUTS[case]
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, 400)
    if kind == "binary":
        labels = (classes == 0).astype("float32")[:, None]
        right = np.where(labels, 0.05, 0.004) * rng.uniform(0.5, 1.5, labels.shape)
    elif kind == "numbers":
        labels = rng.normal(size=(400, 1))
        right = labels + rng.normal(0, 0.1, labels.shape)
    else:
        labels = classes if kind == "classes" else np.eye(4)[classes]
        right = np.eye(4)[classes] + rng.normal(0, 0.2, (400, 4))
    right = right.astype("float32")
    model = keras.Sequential([keras.Input(right.shape[1:]), layers.Identity(name="y")])
    model.compile("sgd", "mse", metrics=metrics)
    judged = Judged(prepare(model, ["float32"], None, right, None), right, labels)
    came = made(rng, right).astype("float32")
    monkeypatch.setattr("kerasopt.export.validation.accuracy.file_outputs", lambda *_: {"y": came})
    found = [one.level for one in judged.verdicts(b"x") if "compiled" in one.why]
    assert found == ([] if level is None else [level])
    assert judged.verdicts(b"x") == judged.verdicts(b"x")


def test_random_data_are_no_ground_to_refuse():
    """A bias of 60013 is 60000 in half floats, and what is added to it varies by 5."""
    model = scaled([8.0], [60013.0])
    with pytest.warns(UserWarning, match="random inputs: give real samples as `validation_data`"):
        assert to_tflite(model, None, "float16").report.sqnr_db > 60
    with pytest.raises(ExportError, match="'top' keeps none.*another scale"):
        to_tflite(model, None, "float16", validation_data=ROWS)


def test_a_check_too_small_to_judge_is_noted(weather):
    with pytest.warns(UserWarning, match="is coarse"):
        notes = to_tflite(
            weather, None, "int8", calibration=ROWS, validation_data=ROWS[:3]
        ).report.notes
    assert any("Compared on 3 samples: 20 or more" in one for one in notes)
    image = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="map")])
    pixels = np.random.default_rng(0).random((3, 8, 8, 1))
    notes = to_tflite(image, None, validation_data=pixels).report.notes
    assert not any("Compared on" in one for one in notes)
