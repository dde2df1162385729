"""What a file costs: its size as it is and zipped, its time, its operations and zeros."""

import zlib

from kerasopt.export.latency import Latency
from kerasopt.export.memory import peak_memory
from kerasopt.export.operations import operations
from kerasopt.export.report import Cost
from kerasopt.export.schema import counted
from kerasopt.export.structure import Graph, structure


def zipped_size(file: bytes) -> int:
    """Give the size after DEFLATE (zlib, level 9).

    Example:
    >>> zipped_size(bytes(1_000_000)) < 1100
    True
    """
    return len(zlib.compress(file, 9))


def measure(file: bytes, latency: Latency, graphs: tuple[Graph, ...] | None = None) -> Cost:
    """Measure a file.

    Args:
        file: Its bytes.
        latency: What it takes.
        graphs: Its parts, if known. Defaults to `None`: read them.
    """
    graphs = graphs or structure(file)
    found = counted(graphs)
    return Cost(
        file_bytes=len(file),
        zipped_bytes=zipped_size(file),
        latency=latency,
        ops=sum(found.ops.values()),
        sparsity=found.sparsity,
        peak_memory=peak_memory(graphs[0]),
        macs=sum(one.macs for one in operations(graphs[0])),
    )
