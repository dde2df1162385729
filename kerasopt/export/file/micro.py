"""What TFLite Micro has kernels of, and what of a file it cannot run.

The names are those of the methods of `MicroMutableOpResolver` in
tensorflow/lite/micro/micro_mutable_op_resolver.h; the operators are the kernels of the package
`tflite-micro` 0.dev20261023182759. What is refused besides was found by running files of every mode
with that package.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kerasopt.export.file.flatbuffer import Graph, Operator, widens
from kerasopt.export.file.operations import operations

# All others are spelled by their words: CONV_2D is AddConv2D.
_NAMES = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "CIRCULAR_BUFFER": "CircularBuffer",
}

KERNELS = frozenset(
    re.findall(
        r"\w+",
        """ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL
        BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL
        CIRCULAR_BUFFER CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D
        DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL
        EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND
        GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS
        LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM
        MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU
        QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
        RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE
        SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
        SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE
        TRANSPOSE_CONV TFLite_Detection_PostProcess UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK
        VAR_HANDLE WHILE ZEROS_LIKE""",
    )
)
"""Operators that TFLite Micro has a kernel of, by their names in a file."""

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL")
_DYNAMIC = ("FILL", "REDUCE_PROD")


@dataclass(frozen=True)
class Obstacle:
    """Something in a file that TFLite Micro cannot run.

    Attributes:
        what: The operator, with its type where that is the reason.
        why: The reason.
        remedy: What to do about it; empty if there is nothing in general.
        where: The layers, or the names of the outputs, without repetition.
    """

    what: str
    why: str
    remedy: str
    where: tuple[str, ...]

    def __str__(self) -> str:
        places = ", ".join(self.where[:3]) + (", ..." if len(self.where) > 3 else "")
        return f"{self.what} ({places}): {self.why}{self.remedy and f'; {self.remedy}'}"


def resolver_name(operator: str) -> str:
    """Give the method of `MicroMutableOpResolver` that adds an operator.

    Example:
    >>> [resolver_name(one) for one in ("CONV_2D", "FULLY_CONNECTED", "RELU6", "PADV2")]
    ['AddConv2D', 'AddFullyConnected', 'AddRelu6', 'AddPadV2']
    """
    words = operator.split("_")
    plain = "".join(word.upper() if word[:1].isdigit() else word.capitalize() for word in words)
    return f"Add{_NAMES.get(operator, plain)}"


def obstacles(
    graphs: tuple[Graph, ...], layers: tuple[tuple[str, ...], ...] = ()
) -> list[Obstacle]:
    """List what TFLite Micro cannot run, or runs wrongly.

    Args:
        graphs: Of a file.
        layers: For each operation of the first graph, paths of its layers. Defaults to none: the
            names of the operations' outputs are given.

    Returns:
        One obstacle a kind, in the order in which they run.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for number, graph in enumerate(graphs):
        named = layers if number == 0 and len(layers) == len(graph.operators) else None
        places = [one.where for one in operations(graph, named)]
        for operator, place in zip(graph.operators, places, strict=True):
            for kind in _kinds(graph, operator):
                found.setdefault(kind, []).append(place)
    return [Obstacle(*kind, tuple(dict.fromkeys(places))) for kind, places in found.items()]


def _kinds(graph: Graph, operator: Operator) -> Iterator[tuple[str, str, str]]:
    name = operator.name
    if name in _DYNAMIC and _free(graph):
        yield name, "the batch axis is free", "export with `batch_size=1`"
    elif name not in KERNELS:
        yield name, "TFLite Micro has no kernel", _ADVICE.get(name, "")
    else:
        yield from (kind for check in _CHECKS for kind in check(graph, operator))


def _free(graph: Graph) -> bool:
    return any(None in graph.tensors[one].shape for one in graph.inputs)


def _types(graph: Graph, positions: tuple[int, ...]) -> list[str]:
    return [graph.tensors[one].dtype for one in positions if one >= 0]


def _weights(graph: Graph, operator: Operator) -> Iterator[tuple[str, str, str]]:
    """Weights that are stored in another type than what they meet."""
    used = [graph.tensors[one] for one in operator.inputs if one >= 0]
    stored = {one.dtype for one in used if one.stored}
    if "INT4" in stored:
        yield f"{operator.name} INT4", "4-bit weights are not taken", "use `int8`"
    elif operator.name in _WEIGHTED and used[0].dtype == "FLOAT32" and "INT8" in stored:
        why = "hybrid kernels (float activations, int8 weights) are not there"
        yield f"{operator.name} hybrid", why, "use `int8` with calibration data, or `float32`"
    if operator.name == "DEQUANTIZE" and widens(graph, operator):
        if "FLOAT16" in stored:
            yield "DEQUANTIZE FLOAT16", "float16 weights are not taken", "use `float32` or `int8`"
        elif used[0].scales > 1:
            why = "it takes the first channel's scale for all channels, without an error"
            yield "DEQUANTIZE per channel", why, "use `int8` with calibration data"


def _kernels(graph: Graph, operator: Operator) -> Iterator[tuple[str, str, str]]:
    """Kernels that are there, but not for this type."""
    taken = _types(graph, operator.inputs)
    if operator.name == "EXP" and "INT8" in taken:
        yield "EXP INT8", "the kernel takes float only", "keep the layer in float: `exclude=`"
    if operator.name == "SELECT_V2" and "INT32" in taken:
        yield "SELECT_V2 INT32", "the kernel does not take int32", ""
    if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and _free(graph):
        yield operator.name, "the batch axis is free", "export with `batch_size=1`"


_CHECKS: tuple[Callable[[Graph, Operator], Iterator[tuple[str, str, str]]], ...] = (
    _weights,
    _kernels,
)
_ADVICE = {
    "DENSIFY": "export without `sparse=True`",
    "GELU": "use another activation, such as relu or hard_silu",
    "SELECT": "selu has none: use elu",
    "TILE": 'use `UpSampling2D(interpolation="bilinear")` or Conv2DTranspose',
}
