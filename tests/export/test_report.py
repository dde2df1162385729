"""What a report says, as text, Markdown and plain data."""

import importlib.metadata
import json
import warnings
from dataclasses import replace

import keras
import pytest

from kerasopt.export import building, to_tflite
from kerasopt.export.cost import measure
from kerasopt.export.latency import Latency


@pytest.fixture(scope="module")
def report(cnn, images):
    return to_tflite(cnn, mode="int8", calibration=images).report


def test_text(report):
    text = str(report)
    assert f"{report.cost.file_bytes:,} bytes" in text
    assert "output digit" in text
    assert "arg-max the same for" in text
    assert "CONV_2D" in text
    assert max(map(len, text.splitlines())) < 160


def test_versions_whatever_the_packages_are_called(report, monkeypatch):
    """Keras may be keras-nightly, TensorFlow tensorflow-cpu."""

    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    monkeypatch.setattr(importlib.metadata, "distribution", unknown)
    assert building.versions() == report.versions
    assert report.versions["keras"] == keras.__version__
    assert set(report.versions) == {"tensorflow", "keras", "ai-edge-litert"}


def test_markdown(report):
    lines = report.to_markdown().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3, 8}
    assert sum("CONV_2D" in row for row in rows) == 1
    assert any("activations at their most" in row for row in rows)


def test_plain_data(report):
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["cost"]["macs"] == 36 * 8 * 9 + 72 * 160 + 160 * 5
    assert sum(one["macs"] for one in plain["operations"]) == plain["cost"]["macs"]
    assert plain["cost"]["peak_memory"] >= 36 * 8 + 9 * 8


@pytest.mark.parametrize(
    ("ms", "floats", "slower"),
    [(5.0, 1.0, True), (1.1, 1.0, False), (0.003, 0.001, False), (1.0, 5.0, False)],
)
def test_a_mode_that_is_slower_than_float_is_said(dense, rows, monkeypatch, ms, floats, slower):
    def measured(*args):
        return replace(measure(*args), latency=Latency(ms, ms, 5))

    monkeypatch.setattr(building, "measure", measured)
    monkeypatch.setattr(building, "_float_latency", lambda *_: Latency(floats, floats, 5))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = to_tflite(dense, None, "int8", rows).report
    said = f"the int8 file takes {ms:.3g} ms and a float32 file {floats:.3g} ms"
    assert any(said in str(one.message) for one in caught) == slower
    assert any(said in one for one in report.to_dict()["warnings"]) == slower
    assert "latency in float32" in str(report)
