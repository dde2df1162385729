"""What a report says, as text, Markdown and plain data."""

import json

import pytest

from kerasopt.export import to_tflite


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


def test_markdown(report):
    lines = report.to_markdown().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3, 7}
    assert sum("CONV_2D" in row for row in rows) == 1
    assert any("activations at their most" in row for row in rows)


def test_plain_data(report):
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["cost"]["macs"] == 36 * 8 * 9 + 72 * 160 + 160 * 5
    assert sum(one["macs"] for one in plain["operations"]) == plain["cost"]["macs"]
    assert plain["cost"]["peak_memory"] >= 36 * 8 + 9 * 8
