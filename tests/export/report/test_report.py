"""What a report says, as text, Markdown and plain data."""

import importlib.metadata
import json
import warnings

import keras
import pytest

from kerasopt.export import pipeline, to_tflite
from kerasopt.export.runtime.latency import Latency, Pace


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
    assert pipeline.versions() == report.versions
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
    ("verdict", "slower"),
    [("slower", True), ("alike", False), ("unclear", False), ("faster", False)],
)
def test_a_mode_that_is_slower_than_float_is_said(dense, rows, monkeypatch, verdict, slower):
    times = pipeline._Times(
        Latency(5.0, 6.0, 9, low_ms=4.0, high_ms=5.5),
        Latency(1.0, 2.0, 9, low_ms=0.9, high_ms=1.1),
        Pace(5.0, 4.0, 6.0, 9, verdict),
    )
    monkeypatch.setattr(pipeline, "_times", lambda *_: times)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = to_tflite(dense, None, "int8", calibration=rows).report
    said = "the int8 file takes 5 ms and a float32 file 1 ms"
    assert any(said in str(one.message) for one in caught) == slower
    assert any(said in one for one in report.to_dict()["warnings"]) == slower
    assert "median 5 ms, half within 4 to 5.5 ms, 95 % within 6 ms" in str(report)
    assert f"median 1 ms, half within 0.9 to 1.1 ms; beside it: {times.pace}" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["pace"]["verdict"] == verdict
