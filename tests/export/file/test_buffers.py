"""Weights behind the flatbuffer are brought into it, and read wherever they stand."""

import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasopt.export import ExportError, inspect, to_tflite
from kerasopt.export import options as needs
from kerasopt.export.file import buffers
from kerasopt.export.file.buffers import inside, refuse_too_large
from kerasopt.export.file.flatbuffer import structure
from kerasopt.export.file.metadata import with_metadata
from kerasopt.export.options import quantizer_modules, quantizer_name, require_quantizer
from kerasopt.export.runtime.interpreter import Runner


def needed():
    """Skip where the package that makes such files is not installed, by either of its names."""
    if quantizer_name() is None:
        pytest.skip("ai-edge-quantizer is not installed")


@pytest.fixture(scope="module")
def wide():
    """A kernel of 512 KiB in eight bits, which ai-edge-quantizer writes behind the flatbuffer."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((512,), name="x"),
            keras.layers.Dense(1100, "relu"),
            keras.layers.Dense(3, name="y"),
        ]
    )


@pytest.fixture(scope="module")
def foreign(wide):
    """What the package writes itself."""
    needed()
    qtyping, quantizer = quantizer_modules()

    kernel = wide.layers[0].kernel
    kernel.assign(np.where(np.arange(1100) % 4 == 0, 0.0, np.array(kernel)))
    made = quantizer.Quantizer(to_tflite(wide).bytes)
    made.add_weight_only_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8)
    return bytes(made.quantize(enable_progress_report=False).quantized_model)


def offsets(file):
    model = schema.Model.GetRootAs(file, 0)
    return [model.Buffers(number).Offset() for number in range(model.BuffersLength())]


@pytest.mark.parametrize("mode", ["weight_only", "int4", "dynamic_no_depthwise"])
def test_an_export_has_all_weights_inside(wide, mode):
    needed()
    made = to_tflite(wide, None, mode, metadata={"version": "1", "labels": ["a", "b", "c"]})
    assert set(offsets(made.bytes)) == {0}
    assert inspect(made.bytes).metadata["version"] == "1"
    model = schema.Model.GetRootAs(made.bytes, 0)
    held = [model.Buffers(number) for number in range(model.BuffersLength())]
    largest = max(held, key=lambda one: one.DataLength())
    assert largest.DataLength() == 512 * 1100 // (2 if mode == "int4" else 1)
    assert largest._tab.Vector(largest._tab.Offset(4)) % 16 == 0


def test_a_file_of_others_is_read_as_what_it_is_and_comes_inside(foreign, tmp_path):
    assert max(offsets(foreign)) > 1
    whole = inside(foreign)
    assert set(offsets(whole)) == {0}
    assert inside(whole) is whole
    before, after = inspect(foreign), inspect(whole)
    assert before.operations == after.operations
    # Of the larger kernel a quarter is zero; a few weights are rounded to it.
    assert before.contents == after.contents
    assert 0.25 < before.contents.sparsity < 0.27
    assert len(whole) < len(foreign) + 2000
    x = np.random.default_rng(0).normal(size=(4, 512)).astype("float32")
    named = with_metadata(foreign, {"version": "2", "labels": ["a", "b", "c"]})
    results = [Runner(one)({"x": x})["y"] for one in (foreign, whole, named)]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    assert inspect(named).metadata["version"] == "2"
    assert structure(named) == structure(whole)
    (tmp_path / "named.tflite").write_bytes(named)
    assert zipfile.ZipFile(tmp_path / "named.tflite").namelist() == ["labels.txt"]


def test_a_buffer_beyond_the_end_is_not_read(foreign):
    with pytest.raises(IndexError, match="a buffer at"):
        structure(foreign[: max(offsets(foreign)) + 100])


def test_too_large_for_a_flatbuffer(foreign, monkeypatch):
    monkeypatch.setattr(buffers, "LARGEST", 300_000)
    with pytest.raises(ExportError, match="The file cannot be written.*bytes.*at most"):
        inside(foreign)


@pytest.mark.parametrize(("mode", "refused"), [("float32", True), ("float16", False)])
def test_a_model_that_is_too_large_is_refused_before_it_is_traced(
    dense, monkeypatch, mode, refused
):
    from kerasopt.export import preparation as preparing

    monkeypatch.setattr(preparing, "count_weights", lambda _: 700_000_000)
    monkeypatch.setattr(preparing, "Traced", lambda *_: pytest.fail("traced"))
    expected = ExportError if refused else pytest.fail.Exception
    with pytest.raises(expected, match="700,000,000 weights" if refused else "traced"):
        to_tflite(dense, None, mode)


def test_what_fits():
    refuse_too_large(2**29 - 1, "float32", 4)
    with pytest.raises(ExportError, match="2,147,483,648 bytes"):
        refuse_too_large(2**29, "float32", 4)


def test_the_package_that_writes_them_is_found_by_either_name(monkeypatch):
    """It is called litert-quantizer from 0.11 on, which is preferred, also as a module."""
    there = {"ai_edge_quantizer"}
    monkeypatch.setattr(needs, "find_spec", lambda name: name if name in there else None)
    assert quantizer_name() == "ai_edge_quantizer"
    there.add("litert_quantizer")
    monkeypatch.setattr(needs, "import_module", lambda name: name)
    assert quantizer_modules() == ("litert_quantizer.qtyping", "litert_quantizer.quantizer")
    there.clear()
    for ask in (lambda: require_quantizer("int4"), quantizer_modules):
        with pytest.raises(ImportError, match=r"litert-quantizer.*kerasopt\[int4\]"):
            ask()
    require_quantizer("int8")
