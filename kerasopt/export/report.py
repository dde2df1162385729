"""What was measured on one exported file, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

from kerasopt.export.agreement import Agreement
from kerasopt.export.latency import Latency


@dataclass(frozen=True)
class Port:
    """One input or output of a file.

    Attributes:
        name: Its name in the file's signature.
        shape: Sizes of its axes, batch first; `None` for an axis of any size.
        dtype: What the file takes or gives, such as `"float32"` or `"int8"`.
        scale: Of a quantized port, the real value of one step; else `None`.
        zero_point: Of a quantized port, the integer that stands for 0.0; else `None`.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a file costs, measured on that very file.

    Attributes:
        file_bytes: Size of the file.
        zipped_bytes: Its size after DEFLATE (zlib, level 9), as an app package stores it.
        latency: Time of one run with one thread on one sample (or the file's fixed batch).
        ops: Number of operations in the file.
        sparsity: Share of zeros among its weights (constant tensors of two axes or more).
    """

    file_bytes: int
    zipped_bytes: int
    latency: Latency
    ops: int
    sparsity: float = 0.0


@dataclass(frozen=True)
class Report:
    """Everything that is known about one exported file.

    Attributes:
        mode: The TFLite mode.
        io: Type of the file's float inputs and outputs: `"float32"`, `"int8"` or `"uint8"`.
        inputs: The file's inputs, in the order of `model.inputs`.
        outputs: The file's outputs, in the order of the model's.
        agreement: By output name, how it compares with the Keras model.
        check: Which data it was compared on: `"check"`, `"calibration"` or `"random"`.
        calibration_samples: Samples that set the ranges of an int8 file; else 0.
        cost: Size, latency and number of operations.
        ops: By name of the operation, how many the file has.
        float_ops: By name, those that compute in float in an int8 file; else empty.
        notes: What the user should know, a sentence each.
        seconds: What the whole export took.
        versions: Of the packages that made and ran the file.
    """

    mode: str
    io: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    agreement: dict[str, Agreement]
    check: str
    calibration_samples: int
    cost: Cost
    ops: dict[str, int]
    float_ops: dict[str, int]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def sqnr_db(self) -> float:
        """The lowest signal-to-noise ratio of all outputs, in dB."""
        return min(one.sqnr_db for one in self.agreement.values())

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON data (an infinite ratio is `None`)."""
        plain = asdict(self)
        plain["agreement"] = {name: one.to_dict() for name, one in self.agreement.items()}
        for ports in ("inputs", "outputs"):
            plain[ports] = [{**port, "shape": list(port["shape"])} for port in plain[ports]]
        plain["notes"] = list(self.notes)
        return plain
