"""What keeps a batch normalization from being folded, or a layer that does nothing from going."""

from collections import Counter
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._layers import DROPOUTS
from kerasopt.batch_norm.absorption import LINEAR
from kerasopt.graph import Graph, Node, Port
from kerasopt.graph.node import ports
from kerasopt.graph.shared_state import held_in_common
from kerasopt.selection import own_variables, walk

_NORM = keras.layers.BatchNormalization
# What decides what a layer computes, where a subclass may have its own.
_COMPUTES = ("__call__", "build", "call", "convolution_op")


def does_nothing(layer: Any) -> bool:
    """Tell whether a layer or operation gives what it gets, in training as in inference.

    Example:
    >>> does_nothing(keras.layers.Dropout(0.0)), does_nothing(keras.layers.Dropout(0.1))
    (True, False)
    """
    kind = type(layer)
    if kind is keras.layers.ActivityRegularization:
        return bool(layer.l1 == 0 and layer.l2 == 0)
    if not isinstance(layer, keras.layers.Layer) or layer.activity_regularizer is not None:
        return False
    if kind in DROPOUTS:
        return bool(layer.rate == 0)
    if kind is keras.layers.GaussianNoise:
        return bool(layer.stddev == 0)
    return kind is keras.layers.Identity or (
        kind is keras.layers.Activation and layer.activation is keras.activations.linear
    )


def source(port: Port) -> Node | None:
    """Give the call that makes a tensor, looked for across the borders of nested models.

    Returns:
        The call of a layer or operation; `None` where the tensor goes in or out of a nested model
        that is called several times, so that there is no one call.
    """
    while True:
        node = port.node
        inside, around = node.inner, node.level
        if inside is not None:
            if len(inside.callers) != 1:
                return None
            port = ports(inside.outputs)[port.index]
        elif node.is_input and around.callers:
            if len(around.callers) != 1:
                return None
            entries = [one is port for one in ports(around.inputs)]
            port = around.callers[0].inputs[entries.index(True)]
        else:
            return node


class Obstacles:
    """Says in a few words why something in a graph must stay as it is; `""` where it need not.

    Args:
        graph: The graph, which may be edited in between.
    """

    def __init__(self, graph: Graph):
        self._graph = graph
        nodes = graph.nodes
        self._common = held_in_common({id(node.layer): node for node in nodes})
        owned = [v for _, layer in walk(graph.model) for v in own_variables(layer)]
        # A weight may also be an argument of an operation in the model.
        given = [v for node in nodes for v in keras.tree.flatten((node.args, node.kwargs))]
        owners = Counter(map(id, [*owned, *(v for v in given if isinstance(v, keras.Variable))]))
        self._tied = {key for key, count in owners.items() if count > 1}

    def to_removal(self, node: Node) -> str:
        """Say why a call cannot be taken out."""
        if not len(node.data) == len(node.outputs) == 1:
            return "takes or gives several tensors"
        if self._graph.is_output(node):
            return "gives an output of the model, which would be renamed"
        if node.data[0].dtype != node.outputs[0].dtype:
            return "changes the dtype"
        others = [one for one in node.level.nodes if one is not node and not one.is_input]
        return "" if others or not node.level.callers else "is all there is in its model"

    def to_folding(self, node: Node) -> str:
        """Say why the call of a batch normalization cannot be folded, whatever is before it."""
        if self._is_shared(node.layer):
            return "is used in several places"
        if not _is_as_made(node.layer, _NORM):
            return "computes in a way of its own"
        if _trains(node):
            return "is called with `training=True`"
        if node.layer.activity_regularizer is not None:
            return "has an activity regularizer"
        return self.to_removal(node)

    def to_absorbing(self, node: Node | None, norm: Node) -> str:
        """Say why the batch normalization that `norm` calls cannot go into the call before it."""
        if node is None:
            return "follows a model that is called several times"
        if node.is_input:
            return "follows an input"
        layer, path = node.layer, node.path
        kind = next((one for one in LINEAR if isinstance(layer, one)), None)
        if kind is None or not _is_as_made(layer, kind):
            return f"follows {_keras.operation_kind(layer)} {path!r}"
        if layer.activation not in (None, keras.activations.linear):
            return f"follows the activation of {path!r}"
        if self._is_shared(layer):
            return f"{path!r} before it is used in several places"
        if self._graph.is_output(node):
            return f"{path!r} before it gives an output of the model"
        if self._graph.followers(node) != [norm]:
            return f"{path!r} before it has other consumers"
        if layer.activity_regularizer is not None:
            return f"{path!r} before it has an activity regularizer"
        if layer.quantization_mode is not None or getattr(layer, "lora_enabled", False):
            return f"{path!r} before it is quantized or has LoRA"
        return ""

    def _is_shared(self, layer: Any) -> bool:
        several = len(self._graph.calls_of(layer)) > 1 or id(layer) in self._common
        return several or any(id(variable) in self._tied for variable in layer.weights)


def _is_as_made(layer: Any, kind: type) -> bool:
    """Tell whether a layer computes as its Keras class does: a subclass may not."""
    return all(getattr(type(layer), one, None) is getattr(kind, one, None) for one in _COMPUTES)


def _trains(node: Node) -> bool:
    """Tell whether a call, or one of a model around it, is made in training mode for good."""
    training = node.kwargs.get("training", node.args[1] if len(node.args) > 1 else None)
    # It may be a tensor, which compares as one.
    always = training is not None and training is not False
    return always or any(map(_trains, node.level.callers))
