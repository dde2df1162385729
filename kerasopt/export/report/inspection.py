"""What is in a TFLite file, whoever made it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasopt._core.checks import at_least, bad_type, bad_value, positive
from kerasopt._core.display import Shown, columns
from kerasopt.export.file.flatbuffer import Contents, counted, from_plain
from kerasopt.export.file.operations import HEADS, Operation, operations, peak_memory, row
from kerasopt.export.process.client import WORKER, CrashError, RefusedError, scratch
from kerasopt.export.report.report import Port, zipped_size
from kerasopt.export.runtime.latency import Latency, Timed

if TYPE_CHECKING:
    from kerasopt.export.file.tflite_model import TFLiteModel

_LIMIT = 120.0
_WIDEST = 80


@dataclass(frozen=True, repr=False)
class Inspection(Shown):
    """What is in one file.

    Attributes:
        file_bytes: Its size.
        zipped_bytes: Its size after DEFLATE (zlib, level 9).
        inputs: Its inputs.
        outputs: Its outputs.
        operations: What each operation of the graph that runs costs.
        contents: Operations and weights, counted over all graphs.
        peak_memory: Bytes that the activations take at their most, for a batch of one.
        metadata: What `to_tflite` was told to write into it; `None` if nothing.
    """

    file_bytes: int
    zipped_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operations: tuple[Operation, ...]
    contents: Contents
    peak_memory: int
    metadata: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON data."""
        plain = asdict(self)
        for ports in ("inputs", "outputs"):
            plain[ports] = [{**port, "shape": list(port["shape"])} for port in plain[ports]]
        plain["operations"] = [one.to_dict() for one in self.operations]
        plain["contents"]["sparsity"] = self.contents.sparsity
        return plain

    def brief(self) -> str:
        """Give the size and the number of operations."""
        return f"{self.file_bytes:,} bytes, {len(self.operations)} operations"

    def parts(self) -> list[Any]:
        """Give the facts, the inputs and outputs, and the operations."""
        facts, ports, table = self._tables()
        return [[["", ""], *facts], ports, table]

    def __str__(self) -> str:
        facts, ports, table = self._tables()
        return "\n\n".join([columns(facts), columns(ports), columns(table, right=[4, 5, 6])])

    def _tables(self) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
        facts = [
            ["file", f"{self.file_bytes:,} bytes, {self.zipped_bytes:,} zipped"],
            ["weights", f"{self.contents.weights:,}, {self.contents.sparsity:.1%} zero"],
            ["activations at their most", f"{self.peak_memory:,} bytes"],
            ["multiplications", f"{sum(one.macs for one in self.operations):,}"],
        ]
        facts += [[key, _value(value)] for key, value in (self.metadata or {}).items()]
        ports = [["", "name", "shape", "type", "scale", "zero point"]]
        ports += [_port_row(kind, one) for kind, all_of in self._ports() for one in all_of]
        heads = [HEADS[0], "output", *HEADS[2:]]
        return facts, ports, [heads, *map(row, self.operations)]

    def _ports(self) -> list[tuple[str, tuple[Port, ...]]]:
        return [("input", self.inputs), ("output", self.outputs)]


def inspect(file: "TFLiteModel | str | os.PathLike[str] | bytes") -> Inspection:
    """Tell what is in a TFLite file: inputs, outputs, operations, bytes, types, zeros.

    It is loaded in a process of its own, so that a damaged file does no harm.

    Args:
        file: What `to_tflite` gave, or the path of a `.tflite` file, or its bytes.

    Returns:
        An `Inspection`; it prints as tables.

    Raises:
        TypeError: If `file` is neither.
        ValueError: If there is no such file, or LiteRT cannot load it.

    Example:
    >>> import keras
    >>> from kerasopt.export import inspect, to_tflite
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> [one.name for one in inspect(to_tflite(model)).operations]
    ['FULLY_CONNECTED']
    """
    content = content_of(file)
    found = asked("load", file, content)
    graphs = from_plain(found["graphs"])
    try:
        return Inspection(
            file_bytes=len(content),
            zipped_bytes=zipped_size(content),
            inputs=tuple(map(port, found["inputs"])),
            outputs=tuple(map(port, found["outputs"])),
            operations=tuple(operations(graphs[0])),
            contents=counted(graphs),
            peak_memory=peak_memory(graphs[0]),
            metadata=found["metadata"],
        )
    except LookupError as error:  # LiteRT does not look at what it does not run
        raise bad_value(
            "file", "a TFLite file that is whole", _shown(file), "It names parts that it lacks."
        ) from error


def benchmark(
    file: "TFLiteModel | str | os.PathLike[str] | bytes", threads: int = 1, seconds: float = 1.0
) -> Latency:
    """Time a TFLite file on random inputs, in a process of its own.

    One sample; another axis of any size has 32 entries where that fits.

    Args:
        file: What `to_tflite` gave, or the path of a `.tflite` file, or its bytes.
        threads: Number of threads. Defaults to `1`.
        seconds: Longest time for the timed runs. Defaults to `1.0`.

    Returns:
        A `Latency`: median and 95th percentile in milliseconds.

    Raises:
        TypeError, ValueError: As `inspect`, and if an argument is no positive number.
    """
    return benchmark_in_turn([file], threads, seconds).latencies[0]


def benchmark_in_turn(
    files: "Sequence[TFLiteModel | str | os.PathLike[str] | bytes]",
    threads: int = 1,
    seconds: float = 1.0,
) -> Timed:
    """Time TFLite files in turn, so that what else the machine does slows all of them.

    Args:
        files: As in `benchmark`.
        threads: Likewise.
        seconds: Longest time for the timed runs of each. Defaults to `1.0`.

    Returns:
        A `Timed`.

    Raises:
        TypeError, ValueError: As `inspect`, and if an argument is no positive number.
    """
    at_least("threads", threads, 1)
    positive("seconds", seconds)
    contents = [content_of(file) for file in files]
    for file, content in zip(files, contents, strict=True) if len(files) > 1 else ():
        asked("load", file, content)  # which names the one that is damaged
    names = [f"{number}.tflite" for number in range(len(files))]
    found = asked(
        "time",
        files[0],
        dict(zip(names, contents, strict=True)),
        threads=threads,
        seconds=float(seconds),
        runs=10_000,
        files=names,
    )
    return Timed(
        tuple(Latency(**one) for one in found["latencies"]),
        tuple(tuple(one) for one in found["rounds"]),
    )


def asked(task: str, file: Any, content: bytes | Mapping[str, bytes], **arguments: Any) -> Any:
    """Have something done with a file where it can do no harm.

    Args:
        task: What, as `process/server.py` calls it.
        file: What the user gave, for errors.
        content: Its bytes; of several files, by name.
        **arguments: Of the task.

    Raises:
        ValueError: If LiteRT cannot load or run it.
    """
    with scratch() as folder:
        named = content if isinstance(content, Mapping) else {"model.tflite": content}
        for name, one in named.items():
            (Path(folder) / name).write_bytes(one)
        try:
            return WORKER.ask(task, Path(folder), _LIMIT, **arguments)
        except (RefusedError, CrashError) as error:
            said = " ".join(str(error).split())[:300].rstrip(".")
            if isinstance(error, CrashError):
                said = f"It ends the process that loads it ({said})"
            raise bad_value(
                "file", "a TFLite file that LiteRT can run", _shown(file), f"{said}."
            ) from error


def content_of(file: "TFLiteModel | str | os.PathLike[str] | bytes") -> bytes:
    """Give the bytes of a model that was exported, or of a file that begins like TFLite's.

    Raises:
        TypeError: If `file` is no such model, no path and no bytes.
        ValueError: If there is no such file, or it is something else.
    """
    # By what it has: to import its class would import Keras.
    content = getattr(file, "bytes", file)
    if not isinstance(content, (str, os.PathLike, bytes)):
        raise bad_type("file", "a path of a `.tflite` file, or its bytes, or a TFLiteModel", file)
    if isinstance(content, (str, os.PathLike)):
        if not Path(content).is_file():
            raise bad_value(
                "file", "a path of a `.tflite` file", str(file), "There is no such file."
            )
        content = Path(content).read_bytes()
    if content[4:8] != b"TFL3":
        raise bad_value("file", "a TFLite file", _shown(file), "It is something else.")
    return content


def _shown(file: Any) -> str:
    if isinstance(file, (str, os.PathLike)):
        return str(file)
    return f"{len(getattr(file, 'bytes', file))} bytes"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..."


def port(plain: dict[str, Any]) -> Port:
    """Make a port again of what `dataclasses.asdict` gave of it."""
    return Port(**{**plain, "shape": tuple(plain["shape"])})


def _port_row(kind: str, one: Port) -> list[str]:
    shape = " x ".join("any" if size is None else str(size) for size in one.shape)
    scale = "" if one.scale is None else f"{one.scale:.6g}"
    return [
        kind,
        one.name,
        shape,
        one.dtype,
        scale,
        "" if one.scale is None else str(one.zero_point),
    ]
