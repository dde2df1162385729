"""Ranges that calibration got from data that do not look like the rest."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt._core.quiet import held_back
from kerasopt.export.data.samples import Samples
from kerasopt.export.file.flatbuffer import EDGES, Graph, Tensor
from kerasopt.export.runtime.interpreter import from_file, port_of, to_file
from kerasopt.export.validation.fidelity import Limits

OUTLIER = 100.0
"""How many times what is usual a range may hold."""

# TensorFlow gives what was always zero a range of two millionths.
_ZERO = 2.1e-6
_BOUNDED = (*EDGES, "SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION")
_CODES = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}
_TRIED = 16
_NAMED = 3


def usual(file: bytes, samples: Samples, batch: int) -> dict[str, float]:
    """Find how large the numbers of each tensor of a float32 file usually are.

    Args:
        file: Its bytes.
        samples: Some are run.
        batch: The file's batch size.

    Returns:
        Dict of tensor name -> median, over samples, of its largest absolute number.
    """
    found: dict[str, list[float]] = {}
    for tensors in inner_values(file, samples.thinned(_TRIED), batch):
        for name, values in tensors.items():
            if values.size:
                rows = values if len(values.shape) and len(values) == batch else values[None]
                largest = np.abs(rows.reshape(len(rows), -1)).max(1)
                found.setdefault(name, []).extend(largest.tolist())
    return {name: float(np.median(largest)) for name, largest in found.items()}


def inner_values(file: bytes, samples: Samples, batch: int) -> Iterator[dict[str, Any]]:
    """Run a file, and give what all its tensors hold: real numbers, also of quantized ones.

    Args:
        file: Its bytes.
        samples: All are run.
        batch: The file's batch size.

    Returns:
        Iterator of dicts of tensor name -> array, one for each batch.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with held_back():
        interpreter = Interpreter(
            model_content=file,
            # Delegates keep what is between operations to themselves.
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        inputs = interpreter.get_signature_runner("serving_default").get_input_details()
        details = [
            one
            for one in interpreter.get_tensor_details()
            if one["dtype"] == np.float32 or one["quantization"][0]
        ]
        for one in samples.in_batches(batch, exact=True):
            for name, detail in inputs.items():
                if tuple(detail["shape"]) != one[name].shape:
                    interpreter.resize_tensor_input(detail["index"], one[name].shape)
            interpreter.allocate_tensors()
            for name, detail in inputs.items():
                interpreter.set_tensor(detail["index"], to_file(port_of(name, detail), one[name]))
            interpreter.invoke()
            found = {}
            for detail in details:
                values = _values(interpreter, detail["index"])
                if values is not None:
                    found[detail["name"]] = from_file(port_of(detail["name"], detail), values)
            yield found


def doubtful(
    graph: Graph, layers: Sequence[tuple[str, ...]], usually: Mapping[str, float]
) -> tuple[list[str], dict[str, float]]:
    """Find layers whose ranges are nothing, or much more than what is usual.

    Args:
        graph: Of an int8 file.
        layers: For each operation, the paths of its layers.
        usually: By tensor name, how large its numbers usually are.

    Returns:
        Paths of layers that were always zero, and of those with a range of an outlier, with how
        many times the usual it holds.
    """
    shared = _shared(graph)
    zero: dict[str, bool] = {}
    large: dict[str, float] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        tensor = graph.tensors[operator.outputs[0]] if operator.outputs else None
        if operator.name in _BOUNDED or not paths or tensor is None or tensor.scale is None:
            continue
        if tensor.dtype not in ("INT8", "INT16") or operator.outputs[0] in shared:
            continue
        bits = 8 if tensor.dtype == "INT8" else 16
        steps = 2 ** (bits - 1) + abs(tensor.zero_point or 0)
        limit = tensor.scale * steps
        # Of all its operations: the first state of a recurrent layer is zero by right.
        empty = tensor.scale * 2**bits <= _ZERO
        zero[paths[0]] = zero.get(paths[0], True) and empty
        if (
            not empty
            and usually.get(tensor.name, 0.0) > 0
            and limit > OUTLIER * usually[tensor.name]
        ):
            large[paths[0]] = max(limit / usually[tensor.name], large.get(paths[0], 0.0))
    return [path for path, empty in zero.items() if empty], large


def _shared(graph: Graph) -> set[int]:
    """Find tensors whose range is that of another one too, as of all that are concatenated.

    Or of a constant, which a condition puts in the place of some numbers, or of a sum that they
    are added into: TensorFlow takes such ranges back through the operations that keep a range.
    """
    found: set[int] = set()
    for operator in reversed(graph.operators):
        inputs = [one for one in operator.inputs if one >= 0 and graph.tensors[one].scale]
        made = graph.tensors[operator.outputs[0]] if operator.outputs else None
        if made is None or made.scale is None:
            continue
        alike = {one for one in inputs if _range(graph.tensors[one]) == _range(made)}
        if len(inputs) > 1:
            scales = {graph.tensors[one].scale for one in inputs}
            taken = set(inputs) if len(scales) == 1 else alike
            found.update(one for one in taken if not graph.tensors[one].stored)
        elif operator.outputs[0] in found:
            found.update(alike)
    return found


def _range(tensor: Tensor) -> tuple[float | None, int | None]:
    return tensor.scale, tensor.zero_point


def outliers(samples: Samples) -> dict[str, float]:
    """Find inputs of which one sample is much larger than the others, and by how much.

    Args:
        samples: Calibration data.

    Returns:
        Dict of input name -> its largest number, in times the median of the samples' largest.
    """
    found = {}
    for name in samples.batches[0]:
        largest = np.concatenate(
            [np.abs(b[name].reshape(len(b[name]), -1)).max(1) for b in samples.batches]
        )
        middle = float(np.median(largest))
        if middle > 0 and largest.max() > OUTLIER * middle:
            found[name] = float(largest.max()) / middle
    return found


def remarks_on(
    inputs: Mapping[str, float], zero: Sequence[str], large: Mapping[str, float]
) -> list[str]:
    """Put into words what `outliers` and `doubtful` found."""
    said = []
    if inputs:
        said.append(
            f"In the calibration data {_listed(list(inputs))} has a sample that is "
            f"{max(inputs.values()):,.0f} times the others: the others lose their precision. "
            "Leave it out."
        )
    elif large:
        said.append(
            f"In calibration a sample gave {_listed(list(large))} numbers that are "
            f"{max(large.values()):,.0f} times the usual: the others lose their precision. Leave "
            "out samples that are not like the rest."
        )
    if zero:
        said.append(
            f"In calibration {_listed(zero)} gave nothing but zeros: with any other number its "
            "range does not fit. Give data with which it does, or keep it in float with `exclude`."
        )
    return said


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_NAMED]))
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _values(interpreter: Any, index: int) -> Any:
    try:
        return interpreter.get_tensor(index)
    except ValueError:  # it was never computed, as what is a constant's
        return None


def limits(graph: Graph) -> dict[str, Limits]:
    """Find what each quantized output of a file can hold.

    Args:
        graph: The first graph of the file.

    Returns:
        By name of the output; those in float are left out.
    """
    made = {operator.outputs[0]: operator for operator in graph.operators if operator.outputs}
    found = {}
    for name, position in graph.names.items():
        tensor, operator = graph.tensors[position], made.get(position)
        if tensor.dtype == "FLOAT32" and operator is not None and operator.name in EDGES:
            tensor = graph.tensors[operator.inputs[0]]
        if tensor.scale is not None and tensor.dtype in _CODES:
            low, high = (code - (tensor.zero_point or 0) for code in _CODES[tensor.dtype])
            found[name] = Limits(low * tensor.scale, high * tensor.scale, tensor.scale)
    return found
