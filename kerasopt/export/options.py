"""What a file shall be like: its mode, and the arguments of an export that are not data."""

import math
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, meant_share, number, one_of

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


# One package: ai-edge-quantizer is litert-quantizer since 0.11, and both may be there.
_QUANTIZERS = ("litert_quantizer", "ai_edge_quantizer")


def quantizer_name() -> str | None:
    """Give the name by which the quantizer of float files is imported; `None` if there is none."""
    return next((name for name in _QUANTIZERS if find_spec(name) is not None), None)


def quantizer_modules() -> tuple[Any, Any]:
    """Give its modules `qtyping` and `quantizer`.

    Raises:
        ImportError: If it is not installed.
    """
    name = quantizer_name()
    if name is None:
        raise ImportError(_HOW)
    return import_module(f"{name}.qtyping"), import_module(f"{name}.quantizer")


def require_quantizer(mode: str) -> None:
    """Say before anything is converted that a mode needs a package that is not there.

    Raises:
        ImportError: If so.
    """
    if MODES[mode].quantizer and quantizer_name() is None:
        raise ImportError(f"mode={mode!r} needs {_HOW}")


_HOW = (
    "ai-edge-quantizer, or litert-quantizer as it is called since 0.11: "
    "pip install 'kerasopt[int4]'."
)


IO = ("float32", "int8", "uint8")
"""Types of an int8 file's inputs and outputs."""

_DENSE = ("int16x8", "dynamic_no_depthwise", "weight_only", "int4")


@dataclass(frozen=True)
class Wish:
    """What a file shall be like.

    Attributes:
        mode: Its mode.
        io: Type of its inputs and outputs.
        exclude: Layers that stay in float: as `kerasopt.selection` takes them, `"auto"` or `None`.
        max_accuracy_drop: With `"auto"`, how much accuracy may be lost, in [0, 1].
        sparse: Whether zeros are left out of it.
        least_db: Lowest ratio that is believed, or `None`.
        least_variance: Lowest share of its variance that an entry has to keep, or `None`.
        metadata: What it says about itself, or `None`.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If one has a wrong value, or they do not go together.
        ImportError: If the mode needs a package that is not installed.
    """

    mode: str
    io: str = "float32"
    exclude: Any = None
    max_accuracy_drop: float = 0.005
    sparse: bool = False
    least_db: float | None = None
    metadata: dict[str, Any] | None = None
    least_variance: float | None = None

    def __post_init__(self) -> None:
        one_of("mode", self.mode, MODES)
        one_of("io", self.io, IO)
        require_quantizer(self.mode)
        if self.io != "float32" and self.mode != "int8":
            raise bad_value(
                "io",
                f"'float32' in mode {self.mode!r}",
                self.io,
                "Integer io needs mode='int8'.",
            )
        if self.least_db is not None:
            number("least_db", self.least_db)
        if self.least_variance is not None and self.least_variance != -math.inf:
            least = number("least_variance", self.least_variance)
            if not least <= 1:
                raise bad_value("least_variance", "a float up to 1", least)
        drop = number("max_accuracy_drop", self.max_accuracy_drop)
        if not 0 <= drop <= 1:
            raise bad_value("max_accuracy_drop", "a float in [0, 1]", drop, meant_share(drop))
        if isinstance(self.exclude, (list, tuple, set)) and not self.exclude:
            raise bad_value("exclude", "at least one layer, or `None`", self.exclude)
        if self.exclude is not None and not MODES[self.mode].excludes:
            raise bad_value(
                "exclude",
                f"`None` in mode {self.mode!r}",
                self.exclude,
                f"Layers can be kept in float in the modes {list(EXCLUDING)}.",
            )
        if not isinstance(self.sparse, bool):
            raise bad_type("sparse", "a bool", self.sparse)
        if self.sparse and (self.mode in _DENSE or self.exclude is not None):
            raise bad_value(
                "sparse",
                f"`False` with `exclude` and in the modes {', '.join(map(repr, _DENSE))}",
                self.sparse,
            )

    @property
    def lifted(self) -> bool:
        """Whether the user takes on files that are of little use."""
        floor = MODES[self.mode].floor_db
        return self.least_variance is None and self.least_db is not None and self.least_db < floor

    @property
    def automatic(self) -> bool:
        """Whether the layers that stay in float are to be found."""
        return isinstance(self.exclude, str) and self.exclude == "auto"
