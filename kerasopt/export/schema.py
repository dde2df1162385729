"""What stands in a TFLite file: its operations and tensor types, read from the flatbuffer."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

# TFLite's int8 weights are symmetric, so their zero is the number 0.
_WEIGHTS = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8}

EDGES = ("QUANTIZE", "DEQUANTIZE")
"""Operations that change between float and int8 and compute nothing."""


@dataclass(frozen=True)
class Contents:
    """What a file is made of.

    Attributes:
        ops: By name of the operation, how many there are, in all subgraphs.
        int8_ops: Of these, the ones with an int8 output, without those in `EDGES`.
        float_ops: Of these, the ones with a float output, without those in `EDGES`.
        constants: By type of tensor, how many constant tensors (weights) there are.
        weights: Number of weights: entries of constant float and int8 tensors of two axes or more.
        zeros: How many of them are zero.
    """

    ops: dict[str, int]
    int8_ops: dict[str, int]
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
    from ai_edge_litert import schema_py_generated as schema

    op_names, type_names = _names(schema.BuiltinOperator), _names(schema.TensorType)
    model = schema.Model.GetRootAs(file, 0)
    ops: Counter[str] = Counter()
    int8_ops: Counter[str] = Counter()
    float_ops: Counter[str] = Counter()
    constants: Counter[str] = Counter()
    weights = zeros = 0
    for s in range(model.SubgraphsLength()):
        graph = model.Subgraphs(s)
        tensors = [graph.Tensors(t) for t in range(graph.TensorsLength())]
        types = [type_names[tensor.Type()] for tensor in tensors]
        for tensor, kind in zip(tensors, types, strict=True):
            data = model.Buffers(tensor.Buffer())
            if data.DataLength():
                constants[kind] += 1
                if kind in _WEIGHTS and tensor.ShapeLength() > 1:
                    values = data.DataAsNumpy().view(_WEIGHTS[kind])
                    weights += values.size
                    zeros += values.size - int(np.count_nonzero(values))
        for o in range(graph.OperatorsLength()):
            operator = graph.Operators(o)
            code = model.OperatorCodes(operator.OpcodeIndex())
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = op_names[number]
            if name == "CUSTOM":
                name = code.CustomCode().decode()
            ops[name] += 1
            outputs = {types[operator.Outputs(i)] for i in range(operator.OutputsLength())}
            if name not in EDGES:
                int8_ops[name] += "INT8" in outputs
                float_ops[name] += "FLOAT32" in outputs
    return Contents(dict(ops), dict(+int8_ops), dict(+float_ops), dict(constants), weights, zeros)


@cache
def _names(enumeration: Any) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if name.isupper()}
