"""With which activations a model ends, as its graph tells."""

from typing import Any

import keras

from kerasopt import _keras
from kerasopt._checks import bad_value
from kerasopt.graph.node import Port
from kerasopt.graph.read import read
from kerasopt.selection import has_kernel

_OPERATIONS = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}
_FUNCTIONS = {
    keras.activations.softmax: "softmax",
    keras.activations.log_softmax: "log_softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "linear",
}
_UNCHANGED = (
    keras.layers.ActivityRegularization,
    keras.layers.Dropout,
    keras.layers.Identity,
)
_RESHAPED = (keras.layers.Flatten, keras.layers.Permute, keras.layers.Reshape)


def endings(model: Any) -> list[str | None] | None:
    """Give for each output with which activation it is made, as far as the graph tells.

    Returns:
        For each output, flat, `"softmax"`, `"log_softmax"`, `"sigmoid"`, `"linear"` (a layer with a
        kernel and no activation) or `None`. `None` for a model that has no graph.

    Raises:
        ValueError: If a softmax is taken over another axis than the last.
    """
    if not _keras.has_graph(model):
        return None
    return [_ending(port) for port in keras.tree.flatten(read(model).outputs)]


def _ending(port: Port) -> str | None:
    node = port.node
    if node.inner is not None:
        return _ending(keras.tree.flatten(node.inner.outputs)[port.index])
    layer = node.layer
    if isinstance(layer, keras.layers.TimeDistributed):
        layer = layer.layer
    kind = _keras.operation_kind(layer)
    name = _activation(layer)
    if name == "softmax":
        _check_axis(layer, port)
    if name is not None and (name != "linear" or has_kernel(layer)):
        return name
    before = {_ending(one) for one in node.data}
    told = before.pop() if len(before) == 1 else None
    if name == "linear" or isinstance(layer, _UNCHANGED) or kind == "Cast":
        return told
    if kind == "Average" and told != "log_softmax":
        return told  # a mean of probabilities is one, a mean of logits too
    if isinstance(layer, _RESHAPED) and told in ("sigmoid", "linear"):
        return told
    return None


def _activation(layer: Any) -> str | None:
    if _keras.operation_kind(layer) in _OPERATIONS:
        return _OPERATIONS[_keras.operation_kind(layer)]
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return _activation(activation)
    return next((name for one, name in _FUNCTIONS.items() if one is activation), None)


def _check_axis(layer: Any, port: Port) -> None:
    axis = getattr(layer, "axis", -1)
    if isinstance(layer, keras.layers.Softmax) or _keras.operation_kind(layer) == "Softmax":
        last = [axis] if isinstance(axis, int) else list(axis)
        if last not in ([-1], [len(port.shape) - 1]):
            raise bad_value(
                "model",
                "models whose classes are along the last axis",
                layer,
                f"{port.node.path!r} is a softmax over axis {axis}.",
            )
