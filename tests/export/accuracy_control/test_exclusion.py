import json

import keras
import numpy as np
import pytest

from kerasopt.export import sensitivity, to_tflite
from kerasopt.export.accuracy_control import exclusion as choosing
from kerasopt.export.accuracy_control.mixed_precision import ITSELF, Partly
from kerasopt.export.runtime.latency import Timed

layers = keras.layers


@pytest.fixture(scope="module")
def fragile():
    """A layer with a few weights 300 times the others, which eight bits cannot hold together."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((16,), name="x"),
            layers.Dense(32, "relu", name="robust"),
            layers.Dense(32, "relu", name="fragile"),
            layers.Dense(32, "relu", name="calm"),
            layers.Dense(4, name="top"),
        ]
    )
    small, large = model.get_layer("robust").kernel, model.get_layer("fragile").kernel
    small.assign(np.array(small) * np.where(np.arange(32) == 0, 1 / 300, 1.0))
    large.assign(np.array(large) * np.where(np.arange(32) == 0, 300.0, 1.0)[:, None])
    return model


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(3).normal(size=(150, 16)).astype("float32")


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_the_fragile_layer_is_first(fragile, data, mode):
    found = sensitivity(fragile, calibration=data, mode=mode)
    assert {one.layer for one in found} == {"robust", "fragile", "calm", "top"}
    assert sum(one.share for one in found) == pytest.approx(1.0)
    decibels = [one.sqnr_db for one in found]
    assert decibels == sorted(decibels)
    assert found.sqnr_db < decibels[0] + 1.0
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["mode"] == mode
    assert "share of noise" in str(found)
    if mode == "int8":
        assert found.layers[0].layer == "fragile"
        assert found.layers[0].share > 0.5
    assert {one.layer: one.weights for one in found}["top"] == 32 * 4 + 4


def test_what_is_kept_in_float_makes_the_file_better(fragile, data):
    whole = to_tflite(fragile, None, "int8", calibration=data, least_db=-100).report
    kept = to_tflite(fragile, None, "int8", calibration=data, exclude="fragile").report
    assert kept.sqnr_db > whole.sqnr_db + 5
    assert kept.excluded == ("fragile",)
    assert kept.float_ops == {"FULLY_CONNECTED": 1}
    assert not [note for note in kept.warnings if "stay in float" in note]
    assert "layers kept in float" in str(kept)


def test_a_single_quantized_layer_is_what_the_others_leave(fragile, data):
    """Excluding all but one layer gives the file that the ranking measured."""
    found = {one.layer: one.sqnr_db for one in sensitivity(fragile, calibration=data)}
    report = to_tflite(
        fragile, None, "int8", calibration=data, exclude=["robust", "fragile", "calm"]
    ).report
    assert report.sqnr_db == pytest.approx(found["top"], abs=0.01)


def test_operations_outside_of_layers_are_the_models_own(data):
    inputs = keras.Input((16,), name="x")
    model = keras.Model(inputs, layers.Dense(4, name="top")(inputs * 2.0 + inputs))
    found = sensitivity(model, calibration=data)
    assert {one.layer for one in found} == {"top", ITSELF}


def test_fusing_and_nesting(data):
    inputs = keras.Input((16,), name="x")
    inner = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(8, name="a"),
            layers.ReLU(name="b"),
            layers.Dense(8, name="c"),
        ],
        name="inner",
    )
    model = keras.Model(inputs, layers.Dense(4, name="top")(inner(inputs)))
    whole = to_tflite(model, None, "int8", calibration=data, exclude="inner").report
    assert whole.excluded == ("inner", "inner/a", "inner/b", "inner/c") or set(whole.excluded) >= {
        "inner/a",
        "inner/b",
        "inner/c",
    }
    assert whole.float_ops == {"FULLY_CONNECTED": 2}
    # The activation is a part of the first operation, which stays in float with it.
    assert to_tflite(model, None, "int8", calibration=data, exclude="inner/b").report.float_ops == {
        "FULLY_CONNECTED": 1
    }


@pytest.mark.parametrize("labelled", [False, True])
def test_auto_keeps_just_what_the_accuracy_needs(labelled, data):
    keras.utils.set_random_seed(2)
    # Of the weights that decide, one is 300 times the other, and its feature a thousandth.
    data = data * np.where(np.arange(16) == 1, 1e-3, 1.0).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((16,), name="x"),
            layers.Dense(16, name="wide", use_bias=False),
            layers.Dense(2, name="top", use_bias=False),
        ]
    )
    wide = np.eye(16, dtype="float32")
    wide[1, 0] = 300.0
    model.get_layer("wide").kernel.assign(wide)
    top = np.zeros((16, 2), "float32")
    top[0] = 1.0, -1.0
    model.get_layer("top").kernel.assign(top)
    labels = model.predict(data, verbose=0).argmax(-1)
    given = {"validation_data": (data, labels) if labelled else data}
    plain = to_tflite(model, None, "int8", calibration=data, least_db=-100, **given).report
    assert plain.agreement["top"].argmax < 0.9
    report = to_tflite(
        model, None, "int8", calibration=data, exclude="auto", max_accuracy_drop=0.02, **given
    ).report
    assert report.excluded == ("wide",)
    assert report.agreement["top"].argmax >= 0.98
    if labelled:
        scores = report.accuracy["sparse_categorical_accuracy"]
        assert scores["keras"] - scores["file"] <= 0.02


def test_auto_keeps_nothing_where_nothing_is_lost(cnn, images):
    report = to_tflite(
        cnn, None, "int8", calibration=images, exclude="auto", max_accuracy_drop=0.1
    ).report
    assert report.excluded == ()


def test_integers_at_the_edges(cnn, images):
    report = to_tflite(cnn, None, "int8", calibration=images, io="uint8", exclude="dense*").report
    assert [port.dtype for port in (*report.inputs, *report.outputs)] == ["uint8", "uint8"]
    assert not report.warnings
    with pytest.warns(UserWarning, match="'image' stays float32"):
        report = to_tflite(
            cnn, None, "int8", calibration=images, io="int8", exclude="conv2d*"
        ).report
    assert [port.dtype for port in (*report.inputs, *report.outputs)] == ["float32", "int8"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exclude": "other"}, "exclude.*matches a layer"),
        ({"exclude": 3}, "exclude"),
        ({"exclude": "y", "mode": "float16"}, "exclude.*`None` in mode 'float16'"),
        ({"exclude": "y", "mode": "int16x8"}, "exclude.*int16x8"),
        ({"exclude": "y", "sparse": True}, "sparse"),
        ({"sparse": True, "mode": "int4"}, "sparse"),
        ({"max_accuracy_drop": 2.0}, "max_accuracy_drop"),
        ({"max_accuracy_drop": "0"}, "max_accuracy_drop"),
        ({"exclude": "auto", "calibration": None}, "calibration"),
    ],
)
def test_wrong_arguments(dense, rows, arguments, message, monkeypatch):
    monkeypatch.setattr(
        "kerasopt.export.convert.converter.Saved.__init__", lambda *_: pytest.fail("converted")
    )
    with pytest.raises((TypeError, ValueError), match=message):
        to_tflite(dense, **{"mode": "int8", "calibration": rows, **arguments})


def test_a_layer_of_which_nothing_is_left(images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Dropout(0.5, name="drop"),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )
    with pytest.raises(ValueError, match="exclude.*no operation of 'drop'"):
        to_tflite(model, None, "int8", calibration=images, exclude="drop")


def test_auto_of_an_embedding_goes_by_what_it_keeps(data):
    """The largest of its entries says nothing: int8 files that are good have another one often."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((16,)), layers.Dense(64, name="e"), layers.UnitNormalization(name="unit")]
    )
    report = to_tflite(
        model, None, "int8", calibration=data, validation_data=data, exclude="auto"
    ).report
    found = report.agreement["unit"]
    assert found.argmax < 0.995
    assert found.fidelity.kind == "values"
    assert "arg-max" not in str(report)
    assert report.excluded == ()
    assert not [one for one in report.warnings if "coarse" in one]


def test_auto_of_numbers_goes_by_what_they_keep(data):
    """One layer spoils the file; labels of numbers are judged by R2, and both find it."""
    keras.utils.set_random_seed(2)
    data = data * np.where(np.arange(16) == 1, 1e-3, 1.0).astype("float32")
    wide = np.eye(16, dtype="float32")
    wide[1, 0] = 300.0
    model = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(16, name="wide", use_bias=False),
            layers.Dense(1, name="top", use_bias=False),
        ]
    )
    top = np.zeros((16, 1), "float32")
    top[0] = 1.0
    model.set_weights([wide, top])
    right = model.predict(data, verbose=0)
    given = {"calibration": data, "exclude": "auto"}
    plain = to_tflite(model, None, "int8", **given, validation_data=data).report
    assert plain.excluded == ("wide",)
    report = to_tflite(model, None, "int8", **given, validation_data=(data, right[:, 0])).report
    assert report.excluded == ("wide",)
    assert report.accuracy["r2_score"]["file"] > 0.95


@pytest.mark.parametrize(("faster", "expected"), [(True, ("a", "b")), (False, ("a",))])
def test_auto_takes_a_file_that_is_hardly_larger_if_it_is_clearly_faster(
    faster, expected, data, monkeypatch
):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(128, name="c"),
            layers.Dense(64, name="a"),
            layers.Dense(8, name="b"),
        ]
    )
    last, asked, without = [], [], Partly.without

    def made(parts, kept, *rest):
        last.append(kept)
        return without(parts, kept, *rest)

    monkeypatch.setattr(Partly, "without", made)
    monkeypatch.setattr(choosing, "_is_enough", lambda *_: "a" in last[-1])

    def timed(files, *_):
        asked.append([len(one) for one in files])
        unclear = (1.0, 4.0, 0.3, 1.0, 9.0)
        others = (0.5,) * 5 if faster else unclear
        return Timed((), ((1.0,) * 5, *(others for _ in files[1:])))

    monkeypatch.setattr(choosing, "time_files", timed)
    report = to_tflite(model, None, "int8", calibration=data, exclude="auto", least_db=-100).report
    assert report.excluded == expected
    sizes = asked[0]
    assert len(sizes) == 2
    assert sizes[0] < sizes[1] <= 1.05 * sizes[0]
    assert any("2 times faster" in note for note in report.notes) == faster
