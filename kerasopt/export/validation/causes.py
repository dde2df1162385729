"""Why a quantized file is far off or does not run, as its operations and ranges show it."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt.export.attribution.owners import Owners
from kerasopt.export.data.samples import Samples
from kerasopt.export.file.flatbuffer import Graph, Operator

HUGE = 1e4
"""From here on a constant that is added to scores, or put in their place, is a mask."""

_MASKING = ("ADD", "SUB", "MUL", "SELECT", "SELECT_V2", "MAXIMUM", "MINIMUM")
_SAME = (
    "RESHAPE", "TRANSPOSE", "EXPAND_DIMS", "SQUEEZE", "SLICE", "STRIDED_SLICE", "CONCATENATION",
    "BROADCAST_TO", "PACK", "UNPACK", "SPLIT", "GATHER", "QUANTIZE", "DEQUANTIZE",
)  # fmt: skip
_DECIDES = (
    "EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "FLOOR", "CEIL",
    "ROUND", "FLOOR_DIV", "FLOOR_MOD", "ONE_HOT",
)  # fmt: skip
_BIASED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
_WITH_BIAS = 3
_EIGHT = ("INT8", "UINT8")
_QUANTIZED = ("INT8", "INT16")
_WHOLE = ("INT32", "INT64", "UINT32", "BOOL")
# With less than this share of one step as standard deviation, rounding is as large as the signal.
_LOST = 0.6


def masked(graph: Graph, layers: Owners, constants: Mapping[int, NDArray[Any]]) -> dict[str, float]:
    """Find masks in front of a softmax: constants such as -1e9 that are added to attention scores.

    Args:
        graph: Of a float32 file.
        layers: For each of its operations, paths of layers.
        constants: By position of the tensor, the values of stored floats.

    Returns:
        By path of the layer, the largest absolute number of its mask.
    """
    marked: dict[int, float] = {}
    found: dict[str, float] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        known = [marked[one] for one in operator.inputs if one in marked]
        if operator.name in _MASKING:
            values = [constants[one] for one in operator.inputs if one in constants]
            sizes = [float(np.abs(one[np.isfinite(one)]).max(initial=0.0)) for one in values]
            known += [size for size in sizes if size >= HUGE]
        if not known:
            continue
        if operator.name == "SOFTMAX":
            found.update({path: max(known) for path in paths})
        elif operator.name in (*_MASKING, *_SAME, "CAST"):
            marked.update(dict.fromkeys(operator.outputs, max(known)))
    return found


def swallowed(graph: Graph, layers: Owners) -> set[str]:
    """Find layers of which a softmax cannot tell scores apart: one step is more than one e-fold.

    Args:
        graph: Of an int8 or int16x8 file.
        layers: For each of its operations, paths of layers.
    """
    found: set[str] = set()
    for operator, paths in zip(graph.operators, layers, strict=True):
        scale = graph.tensors[operator.inputs[0]].scale if operator.inputs else None
        if operator.name == "SOFTMAX" and scale is not None and scale > 1.0:
            found.update(paths)
    return found


def deciding(graph: Graph, layers: Owners, names: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Find inputs that are rounded to eight bits and then compared or turned into indices.

    Args:
        graph: Of an int8 file.
        layers: For each of its operations, paths of layers.
        names: By input name, the position of its tensor.

    Returns:
        By input name, the operation that decides and the path of its layer (`""` of none).
    """
    coming = {position: (name, False) for name, position in names.items()}
    found: dict[str, tuple[str, str]] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        mine = [coming[one] for one in operator.inputs if one in coming]
        if not mine or not operator.outputs:
            continue
        name, rounded = mine[0][0], any(one for _, one in mine)
        given, made = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
        rounded = rounded or (given.dtype in _EIGHT and given.scale is not None)
        to_index = operator.name == "CAST" and made.dtype in _WHOLE
        if rounded and (operator.name in _DECIDES or to_index):
            found.setdefault(name, (operator.name, paths[0] if paths else ""))
        if operator.name in _SAME or operator.name == "CAST":
            now = rounded or (made.dtype in _EIGHT and made.scale is not None)
            coming.update(dict.fromkeys(operator.outputs, (name, now)))
    return found


def lost_columns(
    samples: NDArray[Any], step: float, deviations: NDArray[Any] | None = None
) -> list[int]:
    """Find columns of an input that eight bits of one scale for the whole input cannot hold.

    The rounding error of a step has a standard deviation of step / sqrt(12) = 0.29 steps; a column
    is lost if what it varies by is not twice as much, though another column is held well.

    Args:
        samples: Of an input, its columns last.
        step: The input's scale.
        deviations: By what the model divides each column. Defaults to `None`: their own standard
            deviations, of which zero counts as nothing to lose.

    Returns:
        Their positions.

    Example:
    >>> rng = np.random.default_rng(0)
    >>> lost_columns(rng.normal(size=(100, 3)) * [1.0, 1000.0, 500.0], 20.0)
    [0]
    """
    columns = np.asarray(samples, np.float64).reshape(-1, samples.shape[-1])
    varying = columns.std(0)
    divided = varying if deviations is None else np.asarray(deviations, np.float64)
    if divided.shape != varying.shape or not (varying > 4 * _LOST * step).any():
        return []
    lost = divided < _LOST * step
    if deviations is None:
        lost &= varying > 0
    return [int(one) for one in np.flatnonzero(lost)]


def readers(graph: Graph, layers: Owners, position: int) -> tuple[str, ...]:
    """Give the paths of the layers that read an input first."""
    waiting, found = [position], dict[str, None]()
    while waiting:
        one = waiting.pop()
        for operator, paths in zip(graph.operators, layers, strict=True):
            if one in operator.inputs and operator.name in ("QUANTIZE", "DEQUANTIZE", "CAST"):
                waiting += operator.outputs
            elif one in operator.inputs:
                found.update(dict.fromkeys(paths))
    return tuple(found)


def unequal(
    graph: Graph, layers: Owners, samples: Samples, known: Mapping[str, Any], io: Mapping[str, int]
) -> list[str]:
    """Say which inputs have columns of so different sizes that the small ones are rounded away.

    Args:
        graph: Of an int8 file.
        layers: For each of its operations, paths of layers.
        samples: The calibration data.
        known: By path, the layers of the model.
        io: By input name, the position of its tensor.
    """
    said = []
    for name, position in io.items():
        step = _step(graph, position)
        given = [batch[name] for batch in samples.batches]
        columns_of = {one.shape[-1] if one.ndim > 1 else 1 for one in given}
        if step is None or len(columns_of) > 1 or max(columns_of) < 2:
            continue
        # Batches may differ in the axes between.
        data = np.concatenate([one.reshape(-1, one.shape[-1]) for one in given])
        paths = readers(graph, layers, position)
        first = [one for one in paths if isinstance(known.get(one), keras.layers.Normalization)]
        variance = getattr(known[first[0]], "variance", None) if first else None
        deviations = None if variance is None else np.sqrt(np.asarray(variance)).ravel()
        columns = lost_columns(data, step, deviations)
        if not columns and deviations is not None:
            columns = lost_columns(data, step)
        if columns:
            which = ", ".join(map(str, columns[:5])) + ", ..." * (len(columns) > 5)
            keep = f", keep {first[0]!r} in float with `exclude`" if first else ""
            said.append(
                f"Input {name!r} has one scale for all its columns, a step of {step:.3g}, in which "
                f"column{'s' * (len(columns) > 1)} {which} cannot be told from "
                f"{'constants' if len(columns) > 1 else 'a constant'}: scale the columns alike "
                f"outside the model{keep}, or make inputs of their own of them."
            )
    return said


def _step(graph: Graph, position: int) -> float | None:
    """Give the scale that an input has, or what it is turned into first."""
    tensor = graph.tensors[position]
    if tensor.dtype == "FLOAT32":
        made = [
            graph.tensors[operator.outputs[0]]
            for operator in graph.operators
            if operator.name == "QUANTIZE" and position in operator.inputs
        ]
        tensor = made[0] if made else tensor
    return tensor.scale if tensor.dtype in _EIGHT else None


def failing(message: str, graph: Graph, layers: Owners) -> tuple[Operator, tuple[str, ...]] | None:
    """Find the operation that LiteRT complains of, and its layers; `None` if it does not say.

    Args:
        message: Such as `"... Node number 3 (SQUARED_DIFFERENCE) failed to prepare."`.
        graph: Of the file.
        layers: For each of its operations, paths of layers.
    """
    patterns = (r"[Nn]ode number (?P<at>\d+) \((?P<name>[A-Z0-9_]+)\)",
                r"(?P<name>[A-Z0-9_]+) node #(?P<at>\d+)")  # fmt: skip
    for pattern in patterns:
        for hit in re.finditer(pattern, message):
            at = int(hit["at"])
            if at < len(graph.operators) and graph.operators[at].name == hit["name"]:
                return graph.operators[at], layers[at]
    return None


def listed(names: Collection[str], most: int = 3) -> str:
    """Give names in quotes, and how many more there are."""
    shown = ", ".join(map(repr, list(names)[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def not_run(message: str, mode: str, graph: Graph, layers: Owners, known: Mapping[str, Any]) -> str:
    """Say why a file does not run, or nothing if that is not known.

    Args:
        message: What LiteRT said.
        mode: The file's mode.
        graph: Of the file.
        layers: For each of its operations, paths of layers.
        known: By path, the layers of the model.
    """
    found = failing(message, graph, layers)
    others = "`mode='dynamic'` or `mode='float16'`"
    if found is not None:
        operator, paths = found
        where = f" of {listed(paths)}" if paths else ""
        keep = ", or keep the layer in float with `exclude`" if paths and mode == "int8" else ""
        return (
            f"LiteRT does not bear {operator.name}{where} in {mode} as it is here: use "
            f"{others}{keep}."
        )
    masks = [
        path
        for path, layer in known.items()
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False)
    ]
    loops = [path for path, layer in known.items() if isinstance(layer, keras.layers.RNN)]
    if masks and loops and mode in ("int8", "int16x8"):
        return (
            f"{listed(masks)} masks steps of {listed(loops)}, and LiteRT does not bear masked "
            f"steps of an unrolled recurrent layer in {mode}: leave Masking (`mask_zero`) out, or "
            f"use {others}."
        )
    return f"Use {others}." if mode in ("int8", "int16x8") else ""


def of_masks(found: Mapping[str, float], lost: Collection[str]) -> str:
    """Say what masks do to the ranges of attention scores, or nothing if they do nothing.

    Args:
        found: By path of the layer, the largest absolute number of its mask.
        lost: Paths of those whose scores can no longer be told apart.
    """
    if not lost:
        return ""
    return (
        f"{listed(sorted(lost))} masks attention scores with numbers as large as "
        f"{max(found[path] for path in lost):.2g}, which set the range of the scores, so that all "
        "that are not masked become the same. No samples are at fault: keep the layer in float "
        "with `exclude`, or use `mode='dynamic'`. In a layer of your own, a mask of -30 does not "
        "do this."
    )


def of_one_hot(graph: Graph, layers: Owners) -> list[str]:
    """Say which layers have one-hot columns in int8: TensorFlow's zeros are not zero there."""
    found: dict[str, None] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        if operator.name == "ONE_HOT" and graph.tensors[operator.outputs[0]].dtype in _QUANTIZED:
            found.update(dict.fromkeys(paths or ("ONE_HOT",)))
    if not found:
        return []
    return [
        f"TensorFlow gets the one-hot columns of {listed(found)} wrong in int8: what should be 0 "
        "is not. Keep the layer in float with `exclude`, or encode outside the model."
    ]


def of_biases(graph: Graph, layers: Owners) -> list[str]:
    """Say which layers have a bias in int16x8 that several operations add, at scales of their own.

    Args:
        graph: Of the file.
        layers: For each of its operations, paths of layers.
    """
    adding: dict[int, list[tuple[str, ...]]] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        bias = operator.inputs[2] if len(operator.inputs) == _WITH_BIAS else -1
        if operator.name in _BIASED and bias >= 0 and graph.tensors[bias].dtype == "INT64":
            adding.setdefault(bias, []).append(paths)
    shared = [
        path for all_of in adding.values() if len(all_of) > 1 for one in all_of for path in one
    ]
    if not shared:
        return []
    return [
        f"TensorFlow gets {listed(dict.fromkeys(shared))} wrong in int16x8: several operations add "
        "the same bias, as in a GRU or a layer that is called twice, and it fits the scale of one. "
        "Use `mode='int8'` or `mode='float16'`."
    ]


def of_sums(graph: Graph, layers: Owners) -> list[str]:
    """Say which layers sum in int16x8: TensorFlow gives a sum the range of what is summed.

    Args:
        graph: Of the file.
        layers: For each of its operations, paths of layers.
    """
    found: dict[str, None] = {}
    for operator, paths in zip(graph.operators, layers, strict=True):
        if operator.name != "SUM":
            continue
        given, made = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
        if made.dtype == "INT16" and made.scale is not None and made.scale == given.scale:
            found.update(dict.fromkeys(paths or (operator.name,)))
    if not found:
        return []
    return [
        f"TensorFlow gives the sum in {listed(found)} the range of what is summed in int16x8, and "
        "cuts off what is larger. No samples are at fault: use `mode='int8'` or `mode='float16'`. "
        "In a layer of your own, `ops.mean` in place of `ops.sum` does not do this."
    ]


def of_deciding(found: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say which inputs are rounded before something is decided by them."""
    said = []
    for name, (kind, path) in found.items():
        where = f" by {path!r}" if path else ""
        what = "turned into indices" if kind == "CAST" else f"compared ({kind})"
        keep = f" keep {path!r} in float with `exclude`, or" if path else ""
        said.append(
            f"Input {name!r} is rounded to eight bits and then {what}{where}, which takes exact "
            f"numbers:{keep} make it an integer input, as `keras.Input(..., dtype='int32')`."
        )
    return said
