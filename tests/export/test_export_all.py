"""Several modes of one model."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import ExportError, export_all, to_tflite
from kerasopt.export.convert.converter import Traced


def test_each_file_is_what_the_mode_alone_gives(cnn, images, tmp_path, monkeypatch):
    saved = []
    original = Traced.save
    monkeypatch.setattr(Traced, "save", lambda self, to: (saved.append(to), original(self, to)))
    labels = cnn.predict(images, verbose=0).argmax(1)
    found = export_all(
        cnn, directory=tmp_path, calibration=images, validation_data=(images, labels)
    )
    assert len(saved) == 1
    assert list(found.files) == ["float32", "float16", "dynamic", "int8"]
    assert not found.refused
    for mode, file in found.files.items():
        assert (tmp_path / f"{mode}.tflite").read_bytes() == file.bytes
        assert file.report.mode == mode
        alone = to_tflite(cnn, None, mode, calibration=images, validation_data=images)
        np.testing.assert_array_equal(file.predict(images), alone.predict(images))
        assert file.report.accuracy["sparse_categorical_accuracy"]["keras"] == 1.0
    assert found["float32"].report.cost.file_bytes > 2 * found["int8"].report.cost.file_bytes
    floats = found["float32"].report
    assert floats.pace is None
    for mode in ("float16", "dynamic", "int8"):
        report = found[mode].report
        assert report.float_latency == floats.cost.latency
        assert report.pace.rounds >= 5
        assert report.pace.slower == any("a float32 file" in one for one in report.warnings)
    heads, *rows = found.rows()
    assert heads[5] == "beside float32"
    assert heads[-1] == "sparse_categorical_accuracy"
    least = [one.report.agreement["digit"].least_variance for one in found.files.values()]
    assert [row[heads.index("variance")] for row in rows] == [f"{one:.1%}" for one in least]
    assert all(len(row) == len(heads) for row in rows)
    assert str(found).count("\n") == 4
    assert {line.count("|") for line in found.to_markdown().splitlines()} == {len(heads) + 1}
    assert json.loads(json.dumps(found.to_dict()))["files"]["int8"]["mode"] == "int8"
    floors = {"int8": 999.0, "float16": 1.0}
    # A number is for every mode.
    same = export_all(cnn, ["float32", "float16"], least_db=90.0)
    assert list(same.files) == ["float32"]
    assert "at least 90 dB" in same.refused["float16"]
    strict = export_all(cnn, ["float16", "int8"], calibration=images, least_db=floors)
    assert list(strict.files) == ["float16"]
    assert "at least 999 dB" in strict.refused["int8"]


def test_a_mode_that_the_model_does_not_bear_is_left_out(rng):
    model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4)])
    x = rng.normal(size=(120, 5, 3))
    found = export_all(model, ["float32", "int8"], calibration=x, batch_size=1)
    assert list(found.files) == ["float32"]
    assert "unroll=True" in found.refused["int8"]
    assert "int8: " in str(found)
    assert "- int8: " in found.to_markdown()
    with pytest.raises(ExportError, match="No file could be made.*unroll=True"):
        export_all(model, ["int8", "int16x8"], calibration=x, batch_size=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"modes": []}, "`modes`"),
        ({"modes": ["int9"]}, "`modes`.*Did you mean 'int8'"),
        ({"directory": "no/such/folder"}, "`directory`"),
        ({"modes": ["float32"], "validation_data": (None, [1, 2])}, "`validation_data`"),
        (
            {"validation_data": (np.zeros((9, 4)), [0] * 9, [1] * 9)},
            "`validation_data`.*tuple of 3",
        ),
        ({"batch_size": 0}, "`batch_size`"),
        ({"least_db": {"int9": 3.0}}, "`least_db`"),
        ({}, "`calibration`.*'int8'"),
    ],
)
def test_wrong_arguments(dense, arguments, said):
    with pytest.raises(ValueError, match=said):
        export_all(dense, **arguments)
