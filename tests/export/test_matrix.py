"""Every kind of model in every mode: verified, or refused with what to do.

An unexpected success fails too: then a newer TensorFlow can do more, and a refusal, the guide or
the advice is to be changed.
"""

import re

import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, export_all
from kerasopt.export import pipeline as building
from kerasopt.export.options import MODES

from .kinds import KINDS, RECURRENT, SAMPLES

TABLE = r"ExportError: .*looks up or hashes, which TFLite cannot: do it outside the model"

REFUSED = {
    # A bias that several operations share fits the scale of one of them.
    **{
        (
            name,
            "int16x8",
        ): r"does not do what.*expected at least 8 dB.*wrong in int16x8.*as in a GRU"
        for name in ("GRU, unrolled", "GRU, a loop, any batch")
    },
    ("Masking, unrolled LSTM", "int8"): r"converted but does not run.*masks steps of",
    ("Masking, unrolled LSTM", "int16x8"): r"converted but does not run.*NOT_EQUAL",
    ("LayerNorm", "int16x8"): r"converted but does not run.*SQUARED_DIFFERENCE",
    # Means of noise over a picture hardly vary, and four bits of weight take that little.
    **{
        (name, "int4"): r"int4 file is of no use.*keeps none of its variance"
        for name in ("transpose", "Rescaling")
    },
    ("Embedding", "int16x8"): r"'int16x8': input '\w+' was not seen.*Embedding",
}
"""What has no file in one mode, and what the message says; of all else there is one."""

REFUSED_AS_A_WHOLE = {
    "MaxPool3D": r"ExportError: .*MaxPool3D \(at '.*max_pooling3d.*outside the model",
    "Hashing": TABLE,
    "StringLookup": TABLE,
    "TextVectorization": TABLE,
    "quantized by Keras": r"ValueError: .*'dense\w*' was quantized by Keras",
}
"""What has no file in any mode."""

FLOAT_OPS = {
    ("Conv3D", "int8"): {"CONV_3D"},
    ("Conv3D", "int16x8"): {"CONV_3D"},
    ("LayerNorm", "int8"): {"NEG"},
}
"""What stays in float; of all else nothing."""

SOMETIMES = {(f"{name}, a loop, batch 1", "int8"): {"SPLIT"} for name in RECURRENT}
"""What the converter leaves in float in one run of three, for the same model."""

COPIES = ("mixed_float16", "mixed_bfloat16", "float16")


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    """Time two runs instead of seconds of them, and five of each file in turn."""
    monkeypatch.setattr(building, "SECONDS", 0.0)
    monkeypatch.setattr(building, "RUNS", 2)


def exported(name):
    """Give what came of one kind, its model and its data."""
    kind = KINDS[name]
    model, data = kind.build(), kind.data(np.random.default_rng(0))
    return export_all(model, MODES, calibration=data, batch_size=kind.batch_size), model, data


@pytest.mark.parametrize("name", [name for name in KINDS if name not in REFUSED_AS_A_WHOLE])
def test_every_mode_is_verified_or_refused(name):
    found, model, data = exported(name)
    expected = {mode for mode in MODES if (name, mode) in REFUSED}
    assert set(found.refused) == expected, found.refused
    for mode in expected:
        assert re.search(REFUSED[name, mode], found.refused[mode])
    for mode, file in found.files.items():
        report = file.report
        floats = set(report.float_ops) - SOMETIMES.get((name, mode), set())
        assert floats == FLOAT_OPS.get((name, mode), set()), mode
        assert report.compared_on == "calibration"
        assert {one.samples for one in report.agreement.values()} == {SAMPLES}
        assert any("float32 copy" in note for note in report.notes) == (name in COPIES)
        batch = KINDS[name].batch_size
        assert {port.shape[0] for port in report.inputs} == {batch}
    if name in ("several inputs and outputs", "dict inputs and outputs"):
        check_names(found, model, data)


def check_names(found, model, data):
    """A file of each mode gives each output its name.

    Swapped outputs are of one shape, so only their numbers tell.
    """
    if isinstance(model.input, dict):
        right = model(data)
    else:
        right = dict(zip(["wide", "deep"], model([data["zebra"], data["ant"]]), strict=True))
    for mode, file in found.files.items():
        for output, values in file.predict(data).items():
            expected = keras.ops.convert_to_numpy(right[output])
            near = 0.2 if mode == "int4" else 0.1
            assert np.abs(values - expected).max() < near * np.abs(expected).max(), (mode, output)


@pytest.mark.parametrize("name", REFUSED_AS_A_WHOLE)
def test_what_no_mode_bears_is_refused(name):
    with pytest.raises((ExportError, ValueError)) as caught:
        exported(name)
    said = f"{type(caught.value).__name__}: {caught.value}"
    assert re.search(REFUSED_AS_A_WHOLE[name], said), said
