"""What each operation of a file costs: bytes of weights, multiplications, memory of activations."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kerasopt.export.file.flatbuffer import WEIGHTS, Graph, Operator, Tensor, widens


@dataclass(frozen=True)
class Operation:
    """One operation of the graph that runs.

    Attributes:
        name: Such as `"CONV_2D"`.
        output: Name of its first output, in which the converter writes the Keras layer's path.
        shape: Shape of that output.
        dtype: Type of that output.
        stored: Bytes of the constants that it is the first to read.
        macs: Multiplications with accumulation for one sample; 0 for what has none.
        layers: Paths of the Keras layers that it comes from, if they are known.
        weights: Entries of those constants that have two axes or more.
        zeros: How many of them are zero.
        scale: Of a quantized output, the real value of one step; else `None`.
    """

    name: str
    output: str
    shape: tuple[int | None, ...]
    dtype: str
    stored: int
    macs: int
    layers: tuple[str, ...] = ()
    weights: int = 0
    zeros: int = 0
    scale: float | None = None

    @property
    def where(self) -> str:
        """The layers, or the output's name in short: of several joined ones the first."""
        return ", ".join(self.layers) or self.output.split(";")[0]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON data."""
        return {**asdict(self), "shape": list(self.shape), "layers": list(self.layers)}


HEADS = ["operation", "layer", "shape", "type", "bytes", "zeros", "multiplications"]
"""What stands above the cells of `row`; the last three are numbers."""


def row(one: Operation) -> list[str]:
    """Give an operation as the cells of a table."""
    shape = " x ".join("any" if size is None else str(size) for size in one.shape)
    zeros = f"{one.zeros / one.weights:.1%}" if one.weights else ""
    scale = "" if one.scale is None else f" x {one.scale:.3g}"
    costs = [f"{one.stored:,}", zeros, f"{one.macs:,}"]
    return [one.name, one.where, shape, f"{one.dtype}{scale}", *costs]


def operations(graph: Graph, layers: Sequence[tuple[str, ...]] | None = None) -> list[Operation]:
    """List the operations of a graph in the order in which they run.

    Args:
        graph: Of a file.
        layers: For each, paths of its layers. Defaults to `None`: not known.
    """
    counted: set[int] = set()
    found = []
    known = layers or [()] * len(graph.operators)
    for operator, paths in zip(graph.operators, known, strict=True):
        mine = {one for one in operator.inputs if one >= 0} - counted
        counted.update(mine)
        output = graph.tensors[operator.outputs[0]] if operator.outputs else Tensor("", (), "")
        constants = [graph.tensors[one] for one in mine if graph.tensors[one].stored]
        kernels = [one for one in constants if len(one.shape) > 1 and one.dtype in WEIGHTS]
        found.append(
            Operation(
                name=operator.name,
                output=output.name,
                shape=output.shape,
                dtype=output.dtype,
                stored=sum(graph.tensors[one].stored for one in mine),
                macs=macs(graph, operator),
                layers=paths,
                weights=sum(one.size for one in kernels),
                zeros=sum(one.zeros for one in kernels),
                scale=output.scale,
            )
        )
    return found


def macs(graph: Graph, operator: Operator) -> int:
    """Count the multiplications with accumulation of one operation, for a batch of one."""
    tensors = [graph.tensors[one] if one >= 0 else None for one in operator.inputs]
    output = graph.tensors[operator.outputs[0]] if operator.outputs else None
    if output is None or len(tensors) < 2:
        return 0
    first, second = tensors[0], tensors[1]
    if first is None or second is None:
        return 0
    shape = tuple(1 if axis is None else axis for axis in second.shape)
    match operator.name:
        case "CONV_2D":  # (out, h, w, in)
            return output.size * math.prod(shape[1:])
        case "DEPTHWISE_CONV_2D":  # (1, h, w, out)
            return output.size * math.prod(shape[1:3])
        case "CONV_3D":  # (d, h, w, in, out)
            return output.size * math.prod(shape[:-1])
        case "FULLY_CONNECTED":  # (out, in)
            return output.size * math.prod(shape[-1:])
        case "TRANSPOSE_CONV" if len(tensors) > 2:  # (out, h, w, in)
            return (tensors[2].size if tensors[2] else 0) * math.prod(shape[:-1])
        case "BATCH_MATMUL":
            return output.size * math.prod(axis or 1 for axis in first.shape[-1:])
    return 0


def peak_memory(graph: Graph) -> int:
    """Give the bytes of all tensors that are needed at once, at their most.

    A tensor lives from the operation that makes it to the last one that reads it, an input from the
    beginning, an output to the end; constants lie in the file, and weights that are widened to
    float when the file is loaded (float16, weight-only) are no activations. It is what an arena
    without gaps would need, so an interpreter takes at least as much. An axis of any size counts as
    one entry.

    Args:
        graph: The first graph of a file.
    """
    last = len(graph.operators)
    widened = {one.outputs[0] for one in graph.operators if widens(graph, one)}
    born = dict.fromkeys(graph.inputs, 0)
    dies = dict.fromkeys(graph.inputs, 0)
    for step, operator in enumerate(graph.operators):
        for position in set(operator.outputs) - widened:
            born.setdefault(position, step)
        for position in (*operator.inputs, *operator.outputs):
            dies[position] = step
    dies.update(dict.fromkeys(graph.outputs, last))
    for position, tensor in enumerate(graph.tensors):
        if tensor.variable:
            born[position], dies[position] = 0, last
    change = [0] * (last + 2)
    for position, step in born.items():
        size = graph.tensors[position].memory if position >= 0 else 0
        change[step] += size
        change[dies[position] + 1] -= size
    most = now = 0
    for step in change:
        now += step
        most = max(most, now)
    return most
