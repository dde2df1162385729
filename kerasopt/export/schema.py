"""What stands in a TFLite file, counted."""

from collections import Counter
from dataclasses import dataclass

from kerasopt.export.structure import Graph, operators, structure

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


def contents(file: bytes) -> Contents:
    """Read what a TFLite file is made of.

    Args:
        file: The bytes of the file.
    """
    return counted(structure(file))


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
