"""What was measured on one exported file, as plain data."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kerasopt._core.display import Shown, columns
from kerasopt.export.file.flatbuffer import TFLiteFile
from kerasopt.export.file.operations import HEADS, Operation, operations, peak_memory, row
from kerasopt.export.runtime.latency import Latency, Pace
from kerasopt.export.validation.agreement import Agreement


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
        peak_memory: Bytes that its activations take at their most, by the lifetimes of its tensors
            for a batch of one; an interpreter takes at least as much.
        macs: Multiplications with accumulation of one run of a batch of one.
    """

    file_bytes: int
    zipped_bytes: int
    latency: Latency
    ops: int
    sparsity: float = 0.0
    peak_memory: int = 0
    macs: int = 0


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """Everything that is known about one exported file.

    Attributes:
        mode: The TFLite mode.
        io: Type of the file's float inputs and outputs: `"float32"`, `"int8"` or `"uint8"`.
        inputs: The file's inputs, in the order of `model.inputs`.
        outputs: The file's outputs, in the order of the model's.
        agreement: By output name, how it compares with the Keras model.
        reference: The same by LiteRT's reference kernels, which microcontrollers compute, of a file
            with integer inputs and outputs; else empty.
        compared_on: Which data: `"validation_data"`, `"calibration"` or `"random"`.
        calibration_samples: Samples that set the ranges of an int8 file; else 0.
        cost: Size, latency and number of operations.
        ops: By name of the operation, how many the file has.
        float_ops: By name, those that compute in float in an int8 file; else empty.
        float_latency: Of a float32 file of the same model, which ran in turn with this one; `None`
            of one that is such a file.
        pace: How the file's time compares with that of the float32 file, or `None`.
        accuracy: By metric, `{"keras": ..., "file": ...}` on the labels given: of numbers also
            R2, the mean over the last axis; else empty.
        operations: What each operation of the file costs, in the order in which they run.
        excluded: Paths of the layers that were kept in float.
        copy_db: Of a model in mixed precision, its ratio to the float32 copy that was exported, in
            dB; else `None`.
        dense_bytes: Of a sparse file, what it would take with its zeros; else `None`.
        warnings: What is less than what was asked for, a sentence each.
        notes: What the user should know, a sentence each.
        seconds: What the whole export took.
        versions: Of the packages that made and ran the file.
    """

    mode: str
    io: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    agreement: dict[str, Agreement]
    compared_on: str
    calibration_samples: int
    cost: Cost
    ops: dict[str, int]
    float_ops: dict[str, int]
    reference: dict[str, Agreement] = field(default_factory=dict)
    float_latency: Latency | None = None
    pace: Pace | None = None
    accuracy: dict[str, dict[str, float]] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    excluded: tuple[str, ...] = ()
    dense_bytes: int | None = None
    copy_db: float | None = None
    warnings: tuple[str, ...] = ()
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
        for kernels, found in (("agreement", self.agreement), ("reference", self.reference)):
            plain[kernels] = {name: one.to_dict() for name, one in found.items()}
        for ports in ("inputs", "outputs"):
            plain[ports] = [{**port, "shape": list(port["shape"])} for port in plain[ports]]
        plain["operations"] = [one.to_dict() for one in self.operations]
        if self.copy_db is not None and not math.isfinite(self.copy_db):
            plain["copy_db"] = None
        plain["excluded"] = list(self.excluded)
        plain["warnings"], plain["notes"] = list(self.warnings), list(self.notes)
        return plain

    def facts(self) -> list[tuple[str, str]]:
        """Give what matters most as pairs of words: what, how much."""
        cost = self.cost
        facts = [
            ("mode", self.mode if self.io == "float32" else f"{self.mode}, {self.io} in and out"),
            ("file", f"{cost.file_bytes:,} bytes, {cost.zipped_bytes:,} zipped"),
            ("weights that are zero", f"{cost.sparsity:.1%}"),
            ("activations at their most", f"{cost.peak_memory:,} bytes"),
            ("multiplications", f"{cost.macs:,}"),
            (
                "latency",
                f"median {cost.latency.median_ms:.3g} ms{spread_of(cost.latency)}, 95 % within "
                f"{cost.latency.p95_ms:.3g} ms "
                f"({cost.latency.threads} thread, batch {cost.latency.batch})",
            ),
        ]
        if self.float_latency is not None:
            floats = self.float_latency
            beside = "" if self.pace is None else f"; beside it: {self.pace}"
            facts.append(
                (
                    "latency in float32",
                    f"median {floats.median_ms:.3g} ms{spread_of(floats)}{beside}",
                )
            )
        kernels = (("", self.agreement), (", reference kernels", self.reference))
        for which, found in kernels:
            for name, one in found.items():
                facts.append((f"output {name}{which}", _agreement(one)))
                if kept := _kept(one):
                    facts.append((f"variance that {name} keeps{which}", kept))
        facts += [
            (what.replace("_", " "), f"{both['file']:.4g}, in Keras {both['keras']:.4g}")
            for what, both in self.accuracy.items()
        ]
        if self.copy_db is not None:
            facts.append(("float32 copy beside the model", f"{self.copy_db:.1f} dB"))
        if self.dense_bytes is not None:
            facts.append(("file with its zeros", f"{self.dense_bytes:,} bytes"))
        if self.excluded:
            facts.append(("layers kept in float", ", ".join(self.excluded)))
        if self.float_ops:
            facts.append(("stay in float", _counts(self.float_ops)))
        return facts

    def brief(self) -> str:
        """Give the mode, the size and the ratio."""
        return f"{self.mode}, {self.cost.file_bytes:,} bytes, {self.sqnr_db:.1f} dB"

    def parts(self) -> list[Any]:
        """Give the facts, the operations and the notes."""
        facts = [["", ""], *(list(fact) for fact in self.facts())]
        notes = ["\n".join(self.notes)] if self.notes else []
        return [facts, [HEADS, *map(row, self.operations)], *notes]

    def to_markdown(self) -> str:
        """Give it as Markdown: a table of facts, one of operations, and the notes."""
        lines = ["| | |", "|---|---|", *(f"| {what} | {much} |" for what, much in self.facts())]
        lines += ["", f"| {' | '.join(HEADS)} |", "|---|---|---|---|--:|--:|--:|"]
        lines += [f"| {' | '.join(row)} |" for row in map(row, self.operations)]
        lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def __str__(self) -> str:
        parts = [columns([list(fact) for fact in self.facts()])]
        parts.append(columns([HEADS, *map(row, self.operations)], right=[4, 5, 6]))
        parts += ["\n".join(self.notes)] if self.notes else []
        return "\n\n".join(parts)


def spread_of(latency: Latency) -> str:
    """Give the quartiles in words, or nothing if they are not known."""
    if latency.low_ms is None or latency.high_ms is None:
        return ""
    return f", half within {latency.low_ms:.3g} to {latency.high_ms:.3g} ms"


def _counts(ops: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(ops.items()))


def _kept(one: Agreement) -> str:
    found = one.fidelity
    if found is None or found.variance is None:
        return ""
    said = f"{max(found.variance, 0.0):.1%}"
    worst = found.worst
    if worst is not None:
        which = (
            "" if worst.index is None else f"entry {worst.index} {max(worst.variance, 0.0):.1%}, "
        )
        said += f", {which}{worst.distinct} values (Keras {worst.keras_distinct})"
        if worst.saturated:
            said += f", {worst.saturated:.1%} at the end of the range"
    return said


def _agreement(one: Agreement) -> str:
    if one.equal is not None:
        return f"{one.equal:.1%} equal, {one.samples} samples"
    same = "" if one.same_class is None else f"arg-max the same for {one.same_class:.1%}, "
    exact = math.isinf(one.sqnr_db)
    ratio = "no difference" if exact and one.sqnr_db > 0 else f"{one.sqnr_db:.1f} dB"
    return f"{ratio}, {same}largest difference {one.largest_difference:.3g}, {one.samples} samples"


def zipped_size(file: bytes) -> int:
    """Give the size after DEFLATE (zlib, level 9).

    Example:
    >>> zipped_size(bytes(1_000_000)) < 1100
    True
    """
    return len(zlib.compress(file, 9))


def measure(file: TFLiteFile, latency: Latency) -> Cost:
    """Measure a file.

    Args:
        file: The file.
        latency: What it takes.
    """
    graph, found = file.graphs[0], file.contents
    return Cost(
        file_bytes=len(file.content),
        zipped_bytes=zipped_size(file.content),
        latency=latency,
        ops=sum(found.ops.values()),
        sparsity=found.sparsity,
        peak_memory=peak_memory(graph),
        macs=sum(one.macs for one in operations(graph)),
    )
