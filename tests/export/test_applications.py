"""Networks that people deploy; the benchmark `export.py` has more of them."""

import pytest

from kerasopt.export import export_all

from .applications import build, images

LEAST = {"float32": 100.0, "float16": 50.0, "dynamic": 25.0, "int8": 25.0}
BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1}
"""Of one weight; names, scales and the graph come to less than half a megabyte."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small"])
def test_all_modes(name):
    model = build(name)
    found = export_all(model, list(LEAST), calibration=images(name, 100))
    assert not found.refused
    for mode, file in found.files.items():
        report = file.report
        assert report.sqnr_db > LEAST[mode], mode
        assert not report.float_ops
        assert len(file.bytes) < BYTES[mode] * model.count_params() + 500_000, mode
    same = [file.report.agreement["classes"].argmax for file in found.files.values()]
    assert same[0] == 1.0
    assert min(same) > 0.7
