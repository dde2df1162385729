"""The precisions that a file can have, and how close to the model each has to be."""

from dataclasses import dataclass

_LIKE_TRAINING = (
    "The calibration data may not look like what the model was trained on (another scale, blank "
    "samples, an outlier), or a layer does not bear int8: give representative `calibration`, find "
    "the layer with `sensitivity` and keep it in float with `exclude`, or use `mode='dynamic'` or "
    "`mode='float16'`."
)
_COARSE = (
    "The weights of some layer may not bear so few bits, such as one with a few very large ones: "
    "keep it in float with `exclude`, or use `mode='float16'`."
)


@dataclass(frozen=True)
class Mode:
    """One precision.

    Attributes:
        floor_db: Lowest signal-to-noise ratio that is believed. It tells a wrong file from a coarse
            one, not a good one from a bad one.
        equal: Lowest share of equal values for outputs that are integers, such as class numbers.
        cause: Why a file may be too far off, and what to do.
        calibrated: Whether its ranges come from data.
        quantizer: Whether the package ai-edge-quantizer makes it.
        excludes: Whether layers can be kept in float.
    """

    floor_db: float
    equal: float
    cause: str
    calibrated: bool = False
    quantizer: bool = False
    excludes: bool = False


# Measured: sound float32 files have 107 dB and more, float16 34-82, dynamic 12-51, int8 12-42,
# int16x8 13-50, int4 9-27, the least of most being a trained MobileNet of width 0.25, whose softmax
# makes much of small differences. Wrong ones (two inputs swapped, a lookup broken, garbage from a
# sparse kernel) have 3 dB or less.
MODES = {
    "float32": Mode(
        80.0,
        0.9,
        "The model may be random at inference, or use an operation that TensorFlow's converter "
        "gets wrong. Export parts of it to find the layer.",
    ),
    "float16": Mode(
        25.0,
        0.9,
        "Weights or activations may be outside float16's range (65504): use `mode='float32'`.",
    ),
    "dynamic": Mode(
        8.0,
        0.5,
        "The weights of some layer may not bear int8, such as one with a few very large ones: use "
        "`mode='float16'`.",
    ),
    "int8": Mode(8.0, 0.5, _LIKE_TRAINING, calibrated=True, excludes=True),
    "int16x8": Mode(
        8.0,
        0.5,
        "The calibration data may not look like what the model was trained on (another scale, "
        "blank samples, an outlier), or a layer does not bear int16x8: use `mode='int8'` or "
        "`mode='float16'`.",
        calibrated=True,
    ),
    "dynamic_no_depthwise": Mode(8.0, 0.5, _COARSE, quantizer=True, excludes=True),
    "weight_only": Mode(8.0, 0.5, _COARSE, quantizer=True, excludes=True),
    "int4": Mode(6.0, 0.5, _COARSE, quantizer=True, excludes=True),
}
"""Every mode by its name."""

EXCLUDING = tuple(name for name, mode in MODES.items() if mode.excludes)
"""The modes in which layers can be kept in float."""

CALIBRATED = tuple(name for name, mode in MODES.items() if mode.calibrated)
"""The modes whose ranges come from data."""
