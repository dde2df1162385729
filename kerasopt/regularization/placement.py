"""Where in a graph a dropout belongs."""

from typing import Any

import keras

from kerasopt import selection
from kerasopt._checks import bad_value
from kerasopt.graph import Graph, Node

DROPOUTS = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)
POOLINGS = tuple(
    getattr(keras.layers, f"{kind}Pooling{axes}D")
    for kind in ("Average", "Max", "GlobalAverage", "GlobalMax")
    for axes in (1, 2, 3)
)
# What belongs to the layer before it: the dropout comes after these.
_COMPLETING = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.ELU,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Softmax,
)
# What moves numbers without changing them: a dropout behind it is a dropout before it.
_MOVING = (
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Reshape,
)
_ACTIVATIONS = (
    "Celu",
    "Elu",
    "Gelu",
    "HardSigmoid",
    "HardSilu",
    "HardTanh",
    "LeakyRelu",
    "Mish",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softplus",
    "Tanh",
)


def automatic_places(graph: Graph) -> list[Node]:
    """Give the calls behind which a dropout is usual, in order.

    These are every pooling layer and every hidden Dense layer, past the activation and
    normalization that follow it as layers of their own. Hidden means that every way from it to an
    output of the model still meets a layer with a kernel: what is left out is the output layer,
    also where a Softmax, Reshape or Add comes behind it. Places that have a dropout already, or
    lead straight into one, are left out too, as is what never trains: the inside of a model that
    is called with `training=False`.

    Args:
        graph: The graph of a model.
    """
    places: list[Node] = []
    for node in graph.nodes:
        if not isinstance(node.layer, (keras.layers.Dense, *POOLINGS)) or never_trains(node):
            continue
        place = _end(graph, node) if isinstance(node.layer, keras.layers.Dense) else node
        known = any(place is one for one in places)
        if not known and not _is_final(graph, place) and not _has_dropout(graph, place):
            places.append(place)
    return places


def named_places(graph: Graph, after: Any) -> list[Node]:
    """Give the calls of the layers that `after` names, in order.

    Args:
        graph: The graph of a model.
        after: As in `kerasopt.selection.matching`. A nested model that is named counts as one
            layer: what is inside it does not.

    Raises:
        TypeError: If `after` is of no known form.
        ValueError: If it matches nothing, an output of the model, or no layer of the graph.
    """
    wanted = selection.matching(graph.model, "after", after)
    inside: set[int] = set()
    paths: dict[int, str] = {}
    for path, layer in selection.walk(graph.model):
        paths[id(layer)] = path
        if id(layer) in wanted:
            inside.update(id(sub) for _, sub in selection.walk(layer))
    outermost = wanted - inside
    nodes = [node for node in graph.nodes if id(node.layer) in outermost]
    missing = outermost - {id(node.layer) for node in nodes}
    if missing:
        names = ", ".join(path for key, path in paths.items() if key in missing)
        raise bad_value(
            "after",
            "layers that the model's graph calls",
            after,
            f"These are called inside another layer, where nothing can be put: {names}. Name the "
            "layer around them.",
        )
    integers = [node.path for node in nodes if "float" not in node.outputs[0].dtype]
    if integers:
        raise bad_value(
            "after",
            "layers that give floats",
            after,
            f"Dropout scales numbers, and {', '.join(dict.fromkeys(integers))} gives "
            "integers or truth values.",
        )
    outputs = [node.path for node in nodes if graph.is_output(node)]
    if outputs:
        raise bad_value(
            "after",
            "layers inside the model",
            after,
            f"{', '.join(dict.fromkeys(outputs))}: this is an output of the model, and dropping "
            "parts of the answer is no regularization. Name the layer before it.",
        )
    return nodes


def never_trains(node: Node) -> bool:
    """Tell whether `node` is inside a model that is only ever called with `training=False`."""
    callers = node.level.callers
    return bool(callers) and all(
        caller.kwargs.get("training") is False or never_trains(caller) for caller in callers
    )


def _end(graph: Graph, node: Node) -> Node:
    """Follow the activation and normalization that complete a layer."""
    while not graph.is_output(node):
        followers = graph.followers(node)
        if len(followers) != 1 or not _completes(followers[0]):
            break
        node = followers[0]
    return node


def _completes(node: Node) -> bool:
    is_layer = isinstance(node.layer, keras.layers.Layer)
    return isinstance(node.layer, _COMPLETING) or (
        # The operation behind `keras.ops.relu` is of a class `Relu` that has no public name.
        not is_layer and type(node.layer).__name__ in _ACTIVATIONS
    )


def _is_final(graph: Graph, node: Node) -> bool:
    """Tell whether some way from `node` to an output of the model meets no layer with a kernel."""
    return graph.is_output(node) or any(
        not _has_kernel(one.layer) and _is_final(graph, one) for one in graph.followers(node)
    )


def _has_kernel(layer: Any) -> bool:
    if not isinstance(layer, keras.layers.Layer):
        return False
    return any(
        selection.is_kernel(one, variable)
        for one in (layer, *(sub for _, sub in selection.walk(layer)))
        for variable in selection.own_variables(one)
    )


def _has_dropout(graph: Graph, node: Node) -> bool:
    """Tell whether a dropout follows at once, or behind what only moves numbers."""
    return any(
        isinstance(one.layer, DROPOUTS)
        or (isinstance(one.layer, _MOVING) and _has_dropout(graph, one))
        for one in graph.followers(node)
    )
