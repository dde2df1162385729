"""Metadata: what is written is read back, and nothing else in the file changes."""

import io
import json
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export import inspect, to_tflite
from kerasopt.export.file.flatbuffer import structure
from kerasopt.export.file.metadata import entry, metadata_of, with_entry, with_metadata
from kerasopt.export.runtime.interpreter import Runner
from tests.conftest import examples

SAID = {
    "name": "digits",
    "version": "1.2",
    "labels": ["null", "eins", "zwei", "drei", "fünf"],
    "normalization": {"mean": (0.5, 0.25), "scale": 1e-3, "clipped": False, "other": None},
}


@pytest.fixture(scope="module")
def plain(dense):
    return to_tflite(dense).bytes


@pytest.mark.parametrize(
    "mode", [{"mode": "float32"}, {"mode": "int8", "io": "int8"}, {"mode": "int16x8"}]
)
def test_it_is_read_back_and_all_else_is_the_same(cnn, images, tmp_path, mode):
    without = to_tflite(cnn, calibration=images, **mode)
    path = tmp_path / "model.tflite"
    made = to_tflite(cnn, path, calibration=images, metadata=SAID, **mode)
    assert path.read_bytes() == made.bytes
    np.testing.assert_array_equal(made.predict(images), without.predict(images))
    found = inspect(path)
    expected = {**SAID, "normalization": {**SAID["normalization"], "mean": [0.5, 0.25]}}
    assert found.metadata == expected
    assert json.loads(json.dumps(found.to_dict()))["metadata"] == expected
    assert "1.2" in str(found)
    assert '"fünf"' in str(found)
    before = inspect(without.bytes)
    assert before.metadata is None
    assert found.operations == before.operations
    assert (found.inputs, found.outputs) == (before.inputs, before.outputs)
    assert made.report.cost.file_bytes == len(made.bytes) < len(without.bytes) + 1000
    archive = zipfile.ZipFile(path)
    assert archive.namelist() == ["labels.txt"]
    assert archive.read("labels.txt").decode().splitlines() == SAID["labels"]
    assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED


def test_the_old_file_is_in_the_new_one_byte_for_byte_and_as_aligned(plain):
    made = with_metadata(plain, {"name": "x" * 1001})
    assert made.index(plain) % 64 == 0
    assert len(made) < len(plain) + 1500
    assert structure(made) == structure(plain)
    model, old = (schema.Model.GetRootAs(one, 0) for one in (made, plain))
    names = [model.Metadata(i).Name() for i in range(model.MetadataLength())]
    assert names == [old.Metadata(i).Name() for i in range(old.MetadataLength())] + [b"kerasopt"]
    assert (model.Version(), model.Description()) == (old.Version(), old.Description())
    assert model.SignatureDefsLength() == old.SignatureDefsLength() == 1
    for name in names[:-1]:
        assert entry(made, name.decode()) == entry(plain, name.decode())
    buffer = model.Buffers(model.BuffersLength() - 1)
    assert buffer._tab.Vector(buffer._tab.Offset(4)) % 16 == 0


def test_a_large_file_keeps_its_weights_where_they_were():
    model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(1200)])
    file = to_tflite(model).bytes
    made = with_metadata(file, {"labels": [str(n) for n in range(1200)]})
    assert len(made) - len(file) < 30_000
    assert made.index(file) % 64 == 0
    x = np.random.default_rng(0).normal(size=(2, 1000)).astype("float32")
    both = [next(iter(Runner(one)({"inputs": x}).values())) for one in (file, made)]
    np.testing.assert_array_equal(*both)


def test_written_twice_the_last_one_counts(plain):
    twice = with_metadata(with_metadata(plain, {"version": "1"}), {"version": "2"})
    assert metadata_of(twice) == {"version": "2"}
    assert inspect(twice).metadata == {"version": "2"}
    assert metadata_of(plain) is None
    assert entry(with_entry(plain, "empty", b""), "empty") == b""


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@examples(50)
@given(said=st.dictionaries(st.text().filter(lambda key: key != "labels"), _VALUES, max_size=6))
def test_any_json_comes_back(plain, rows, said):
    made = with_metadata(plain, said)
    assert metadata_of(made) == said
    assert made.index(plain) % 64 == 0
    both = [Runner(one)({"x": rows})["y"] for one in (plain, made)]
    np.testing.assert_array_equal(*both)


def test_what_is_verified_is_what_is_written(dense, monkeypatch, tmp_path):
    from kerasopt.export import pipeline

    seen = []
    real = pipeline.verify
    monkeypatch.setattr(
        pipeline, "verify", lambda file, *rest: (seen.append(file), real(file, *rest))[1]
    )
    to_tflite(dense, tmp_path / "a.tflite", metadata={"labels": ["a", "b", "c"]})
    assert [one.content for one in seen] == [(tmp_path / "a.tflite").read_bytes()]
    assert zipfile.is_zipfile(io.BytesIO(seen[0].content))


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 0


@pytest.mark.parametrize(
    ("metadata", "error", "said"),
    [
        ("a name", TypeError, "`metadata`.*a dict"),
        ({1: "one"}, TypeError, "`metadata`.*strings as keys"),
        ({"a": [{2: "two"}]}, TypeError, r"`metadata\['a'\]\[0\]`.*strings as keys"),
        ({"a": {"b": {1, 2}}}, TypeError, r"`metadata\['a'\]\['b'\]`.*lists and dicts"),
        ({"a": np.float32(1)}, TypeError, r"`metadata\['a'\]`.*tolist"),
        ({"a": np.arange(3)}, TypeError, r"`metadata\['a'\]`.*tolist"),
        ({"a": float("nan")}, ValueError, r"`metadata\['a'\]`.*finite"),
        (nested(30), ValueError, "`metadata`.*nested"),
        ({"labels": "abc"}, TypeError, "`metadata.*labels.*a list of strings"),
        ({"labels": ["a", "b", 3]}, TypeError, "`metadata.*labels.*a list of strings"),
        ({"labels": []}, ValueError, "`metadata.*labels.*none of them empty"),
        ({"labels": ["a", "", "c"]}, ValueError, "`metadata.*labels.*none of them empty"),
        ({"labels": ["a", "b\nb", "c"]}, ValueError, "`metadata.*labels.*line break"),
        ({"labels": ["a", "b"]}, ValueError, "`metadata.*labels.*3 strings.*'y'.*There are 2"),
    ],
)
def test_wrong_metadata(dense, tmp_path, metadata, error, said):
    with pytest.raises(error, match=said):
        to_tflite(dense, tmp_path / "a.tflite", metadata=metadata)
    assert not list(tmp_path.iterdir())


def test_labels_of_several_outputs_are_not_counted():
    inputs = keras.Input((4,))
    outputs = {name: keras.layers.Dense(2, name=name)(inputs) for name in "ab"}
    made = to_tflite(keras.Model(inputs, outputs), metadata={"labels": ["x", "y", "z"]})
    assert inspect(made.bytes).metadata == {"labels": ["x", "y", "z"]}
