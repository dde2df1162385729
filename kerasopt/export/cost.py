"""What a file costs: its size as it is and zipped, its time, its operations and zeros."""

import zlib
from collections.abc import Mapping

import numpy as np

from kerasopt.export.memory import peak_memory
from kerasopt.export.operations import operations
from kerasopt.export.report import Cost
from kerasopt.export.runner import time_file
from kerasopt.export.schema import counted
from kerasopt.export.structure import Graph, structure

SECONDS = 0.5
RUNS = 200


def zipped_size(file: bytes) -> int:
    """Give the size after DEFLATE (zlib, level 9).

    Example:
    >>> zipped_size(bytes(1_000_000)) < 1100
    True
    """
    return len(zlib.compress(file, 9))


def measure(
    file: bytes,
    sample: Mapping[str, np.ndarray],
    graphs: tuple[Graph, ...] | None = None,
    seconds: float = SECONDS,
) -> Cost:
    """Measure a file with one thread.

    Args:
        file: Its bytes.
        sample: By input name, one sample with its batch axis (or the file's fixed batch).
        graphs: Its parts, if known. Defaults to `None`: read them.
        seconds: Longest time for the timed runs. Defaults to `0.5`.
    """
    graphs = graphs or structure(file)
    found = counted(graphs)
    return Cost(
        file_bytes=len(file),
        zipped_bytes=zipped_size(file),
        latency=time_file(file, sample, 1, seconds, RUNS),
        ops=sum(found.ops.values()),
        sparsity=found.sparsity,
        peak_memory=peak_memory(graphs[0]),
        macs=sum(one.macs for one in operations(graphs[0])),
    )
