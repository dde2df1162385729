"""Looking into files: sound ones, damaged ones, others."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export import inspect, to_tflite
from tests.conftest import fixed_examples


@pytest.fixture(scope="module")
def exported(cnn, images):
    return to_tflite(cnn, mode="int8", calibration=images, io="int8")


def test_it_says_what_the_report_says(exported, tmp_path):
    path = tmp_path / "model.tflite"
    exported.save(path)
    found, report = inspect(path), exported.report
    assert found == inspect(exported.bytes)
    assert found.operations == tuple(replace(one, layers=()) for one in report.operations)
    assert found.contents.ops == report.ops
    assert found.peak_memory == report.cost.peak_memory
    assert (found.file_bytes, found.zipped_bytes) == (
        report.cost.file_bytes,
        report.cost.zipped_bytes,
    )
    # The signature's name is "image"; the tensor's is another.
    assert [(one.shape, one.dtype, one.scale) for one in found.inputs] == [
        (one.shape, one.dtype, one.scale) for one in report.inputs
    ]
    assert json.loads(json.dumps(found.to_dict()))["contents"]["sparsity"] < 0.1
    assert "CONV_2D" in str(found)
    assert "zero point" in str(found)


def test_what_is_no_file(tmp_path):
    with pytest.raises(TypeError, match="`file`"):
        inspect(3)
    with pytest.raises(ValueError, match="no such file"):
        inspect(tmp_path / "model.tflite")
    (tmp_path / "model.tflite").write_bytes(b"PK\x03\x04 a zip")
    with pytest.raises(ValueError, match=r"a TFLite file.*something else"):
        inspect(tmp_path / "model.tflite")
    with pytest.raises(ValueError, match="a TFLite file"):
        inspect(b"")


@fixed_examples(100)
@given(data=st.data())
def test_damaged_files_are_an_error_or_read(exported, data):
    content = bytearray(exported.bytes)
    how = data.draw(st.sampled_from(["cut", "flip", "noise"]))
    if how == "cut":
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    elif how == "flip":
        for place in data.draw(st.lists(st.integers(8, len(content) - 1), min_size=1, max_size=30)):
            content[place] ^= data.draw(st.integers(1, 255))
    else:
        seed = data.draw(st.integers(0, 1000))
        content[8:] = np.random.default_rng(seed).integers(0, 256, 400, np.uint8).tobytes()
    said = "`file`"
    try:
        inspect(bytes(content))
    except ValueError as error:
        said = str(error)
    assert "`file`" in said
    assert "ends the process" not in said
