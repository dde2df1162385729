"""The parts of a TFLite file, read from the flatbuffer: tensors, operators, and what is counted."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.export.file.buffers import data_of

BITS = {
    "BFLOAT16": 16, "BOOL": 8, "COMPLEX64": 64, "FLOAT16": 16, "FLOAT32": 32, "FLOAT64": 64,
    "INT16": 16, "INT2": 2, "INT32": 32, "INT4": 4, "INT64": 64, "INT8": 8, "RESOURCE": 0,
    "STRING": 0, "UINT16": 16, "UINT32": 32, "UINT64": 64, "UINT8": 8, "VARIANT": 0,
}  # fmt: skip
"""Bits an entry takes, by the name of the type."""

# TFLite's int8 weights are symmetric, so their zero is the number 0.
_COUNTED = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8}


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        name: Its name.
        shape: Sizes of its axes; `None` for an axis of any size.
        dtype: Such as `"FLOAT32"` or `"INT8"`.
        stored: Bytes that its values take in the file: of a constant; else 0.
        zeros: How many of the values of a stored float or int8 tensor are zero.
        scales: Number of quantization scales: 0 of a float tensor, 1, or one a channel.
        scale: The real value of one step, if there is one for the whole tensor.
        zero_point: The integer that stands for 0.0, likewise.
        variable: Whether it keeps its value from run to run.
        sparse: Whether its values are encoded sparsely.
        block: How many values of a sparse tensor are kept or left out together; else 0.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    stored: int = 0
    zeros: int = 0
    scales: int = 0
    scale: float | None = None
    zero_point: int | None = None
    variable: bool = False
    sparse: bool = False
    block: int = 0

    @property
    def size(self) -> int:
        """Number of entries; an axis of any size counts as one entry."""
        return math.prod(1 if axis is None else axis for axis in self.shape)

    @property
    def memory(self) -> int:
        """Bytes that it takes while the file runs, if it is no constant."""
        return 0 if self.stored else math.ceil(self.size * BITS.get(self.dtype, 0) / 8)


@dataclass(frozen=True)
class Operator:
    """One operation: its name and the positions of its tensors, -1 for one that is left out."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """One subgraph; the first of a file is what runs, others are bodies of loops and branches.

    Attributes:
        tensors: All that it has.
        operators: In the order in which they run.
        inputs: Positions of the tensors that go in.
        outputs: Of those that come out.
        names: By name in the file's signature, the positions of those that come out.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    names: dict[str, int] = field(default_factory=dict)


def structure(file: bytes) -> tuple[Graph, ...]:
    """Read the parts of a file that LiteRT has loaded before: nothing is checked here.

    Args:
        file: Its bytes.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    names = [_operator_name(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    graphs = (
        _graph(file, model, model.Subgraphs(i), names) for i in range(model.SubgraphsLength())
    )
    return tuple(replace(one, names=_output_names(model, i)) for i, one in enumerate(graphs))


def input_positions(file: bytes) -> dict[str, int]:
    """Give, by the name that the first signature of a file has for it, where an input's tensor is.

    Args:
        file: Its bytes.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    if not model.SignatureDefsLength():
        return {}
    signature = model.SignatureDefs(0)
    ports = map(signature.Inputs, range(signature.InputsLength()))
    return {(one.Name() or b"").decode(errors="replace"): one.TensorIndex() for one in ports}


def constants(file: bytes, positions: Iterable[int]) -> dict[int, NDArray[np.float32]]:
    """Read stored float32 tensors of a file's first graph.

    Args:
        file: Its bytes.
        positions: Of tensors; those that are none are left out.

    Returns:
        Their values by position.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    graph = model.Subgraphs(0)
    found = {}
    for position in positions:
        tensor = graph.Tensors(position)
        data = data_of(file, model.Buffers(tensor.Buffer()))
        if data.size and _names("TensorType").get(tensor.Type()) == "FLOAT32":
            found[position] = data.view(np.float32)
    return found


def from_plain(graphs: Any) -> tuple[Graph, ...]:
    """Make the parts again of what `dataclasses.asdict` gave of them."""
    return tuple(
        Graph(
            tensors=tuple(Tensor(**{**one, "shape": tuple(one["shape"])}) for one in g["tensors"]),
            operators=tuple(
                Operator(one["name"], tuple(one["inputs"]), tuple(one["outputs"]))
                for one in g["operators"]
            ),
            inputs=tuple(g["inputs"]),
            outputs=tuple(g["outputs"]),
            names=dict(g["names"]),
        )
        for g in graphs
    )


def _graph(file: bytes, model: Any, graph: Any, names: list[str]) -> Graph:
    operators = (graph.Operators(i) for i in range(graph.OperatorsLength()))
    return Graph(
        tensors=tuple(_tensor(file, model, graph.Tensors(i)) for i in range(graph.TensorsLength())),
        operators=tuple(
            Operator(names[one.OpcodeIndex()], _ints(one, "Inputs"), _ints(one, "Outputs"))
            for one in operators
        ),
        inputs=_ints(graph, "Inputs"),
        outputs=_ints(graph, "Outputs"),
    )


def _tensor(file: bytes, model: Any, tensor: Any) -> Tensor:
    kind = _names("TensorType").get(tensor.Type(), "?")
    sizes = _ints(tensor, "ShapeSignature") or _ints(tensor, "Shape")
    data = data_of(file, model.Buffers(tensor.Buffer()))
    zeros = 0
    if data.size and kind in _COUNTED:
        values = data.view(_COUNTED[kind])
        zeros = values.size - int(np.count_nonzero(values))
    elif data.size and kind == "INT4":
        zeros = int(np.count_nonzero(data & 15 == 0) + np.count_nonzero(data >> 4 == 0))
        zeros -= 2 * data.size - math.prod(sizes)  # of an odd number, the last half is filled up
    quantization = tensor.Quantization()
    scales = quantization.ScaleLength() if quantization else 0
    single = scales == 1
    return Tensor(
        name=(tensor.Name() or b"").decode(errors="replace"),
        shape=tuple(None if size < 0 else size for size in sizes),
        dtype=kind,
        stored=data.size,
        zeros=zeros,
        scales=scales,
        scale=float(quantization.Scale(0)) if single else None,
        zero_point=int(quantization.ZeroPoint(0)) if single else None,
        variable=bool(tensor.IsVariable()),
        sparse=tensor.Sparsity() is not None,
        block=_block(tensor.Sparsity(), len(sizes)),
    )


def _block(sparsity: Any, axes: int) -> int:
    if sparsity is None:
        return 0
    # The axes of the blocks stand behind those of the tensor.
    sizes = (sparsity.DimMetadata(axes + one) for one in range(sparsity.BlockMapLength()))
    return math.prod(int(one.DenseSize()) for one in sizes)


def _operator_name(code: Any) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _names("BuiltinOperator").get(number, f"OPERATOR_{number}")
    return (code.CustomCode() or b"CUSTOM").decode(errors="replace") if name == "CUSTOM" else name


def _output_names(model: Any, position: int) -> dict[str, int]:
    found = {}
    for number in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(number)
        if signature.SubgraphIndex() == position:
            for port in map(signature.Outputs, range(signature.OutputsLength())):
                found[(port.Name() or b"").decode(errors="replace")] = port.TensorIndex()
    return found


def _ints(one: Any, what: str) -> tuple[int, ...]:
    return tuple(int(getattr(one, what)(i)) for i in range(getattr(one, f"{what}Length")()))


@cache
def _names(enumeration: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    found = vars(getattr(schema, enumeration))
    return {number: name for name, number in found.items() if name.isupper()}


def operators(graphs: tuple[Graph, ...]) -> Iterator[tuple[Graph, Operator]]:
    """Give every operation with its graph."""
    for graph in graphs:
        for operator in graph.operators:
            yield graph, operator


def widens(graph: Graph, operator: Operator) -> bool:
    """Tell whether an operation only turns stored weights into floats."""
    return operator.name == "DEQUANTIZE" and graph.tensors[operator.inputs[0]].stored > 0


EDGES = ("QUANTIZE", "DEQUANTIZE")
"""Operations that change between float and integers and compute nothing."""

WEIGHTS = ("FLOAT32", "FLOAT16", "INT8", "INT4")
"""Types of constants whose zeros are counted."""


@dataclass(frozen=True)
class Contents:
    """What a file is made of.

    Attributes:
        ops: By name of the operation, how many there are, in all subgraphs.
        quantized_ops: Of these, the ones with an int8 or int16 output, without those in `EDGES`.
        float_ops: Of these, the ones with a float output, without those in `EDGES`.
        constants: By type of tensor, how many constant tensors (weights) there are.
        weights: Number of weights: entries of constant float and int8 tensors of two axes or more.
        zeros: How many of them are zero.
    """

    ops: dict[str, int]
    quantized_ops: dict[str, int]
    float_ops: dict[str, int]
    constants: dict[str, int]
    weights: int = 0
    zeros: int = 0

    @property
    def sparsity(self) -> float:
        """The share of zeros among the weights."""
        return self.zeros / self.weights if self.weights else 0.0


def counted(graphs: tuple[Graph, ...]) -> Contents:
    """Count what the parts of a file are."""
    ops: Counter[str] = Counter()
    quantized: Counter[str] = Counter()
    floats: Counter[str] = Counter()
    for graph, operator in operators(graphs):
        ops[operator.name] += 1
        if operator.name not in EDGES:
            types = {graph.tensors[position].dtype for position in operator.outputs}
            quantized[operator.name] += bool(types & {"INT8", "INT16"})
            floats[operator.name] += "FLOAT32" in types
    constants = [tensor for graph in graphs for tensor in graph.tensors if tensor.stored]
    weights = [one for one in constants if one.dtype in WEIGHTS and len(one.shape) > 1]
    return Contents(
        ops=dict(ops),
        quantized_ops=dict(+quantized),
        float_ops=dict(+floats),
        constants=dict(Counter(one.dtype for one in constants)),
        weights=sum(one.size for one in weights),
        zeros=sum(one.zeros for one in weights),
    )


@dataclass(frozen=True, eq=False)
class TFLiteFile:
    """A file that LiteRT has loaded before. What it has is read once, when it is asked for.

    Args:
        content: Its bytes.
    """

    content: bytes

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        """Its parts, as `structure` reads them."""
        return structure(self.content)

    @cached_property
    def contents(self) -> Contents:
        """What they are, as `counted` counts it."""
        return counted(self.graphs)
