"""From a Keras model to levels of nodes."""

from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_type, bad_value
from kerasopt.graph.node import Level, Node, Port
from kerasopt.selection import check_built


def read(model: Any) -> Level:
    """Read the graph of a model, and of the models inside it at any depth.

    Args:
        model: A built Functional or Sequential model. Nothing in it is changed.

    Returns:
        Its level; a model that is called several times has one level with several callers.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If it has no graph to read, or is not built.
    """
    if isinstance(model, keras.layers.Layer) and not isinstance(model, keras.Model):
        raise bad_type("model", "a Keras model", model)
    check_built(model)
    if not _keras.has_graph(model):
        raise _no_graph(model)
    return _level(model, "", {})


def _no_graph(model: Any) -> ValueError:
    if isinstance(model, keras.Sequential):
        advice = (
            "Keras could not build this Sequential model as a chain of layers with one input and "
            "one output each: write it as `keras.Model(inputs, outputs)`."
        )
    else:
        advice = (
            f"{type(model).__name__!r} is a subclassed model: what its `call` does is Python code, "
            "which cannot be rewritten. Change that code itself, or build the model as "
            "`keras.Model(inputs, outputs)`; for its inputs `x = keras.Input(...)` that is often "
            "`keras.Model(x, model.call(x))`."
        )
    return bad_value("model", "a Functional or Sequential model", model, advice)


def _level(model: Any, prefix: str, known: dict[int, Level]) -> Level:
    level = Level(model, prefix)
    known[id(model)] = level
    if level.is_chain:
        _read_chain(level)
    else:
        _read_functional(level)
    for node in level.nodes:
        if isinstance(node.layer, keras.Model) and _keras.has_graph(node.layer):
            if id(node.layer) not in known:
                _level(node.layer, f"{node.path}/", known)
            node.inner = known[id(node.layer)]
            node.inner.callers.append(node)
    return level


def _add(level: Level, call: _keras.Call, args: Any, kwargs: Any) -> Node:
    path = f"{level.prefix}{call.operation.name}"
    node = Node(call.operation, path, args, kwargs, level)
    node.outputs = [
        Port(node, index, tuple(tensor.shape), str(tensor.dtype))
        for index, tensor in enumerate(call.outputs)
    ]
    level.nodes.append(node)
    return node


def _read_functional(level: Level) -> None:
    tensors: dict[int, Port] = {}

    def port(value: Any) -> Any:
        return tensors.get(id(value), value)

    for call in _keras.calls(level.model):
        args = keras.tree.map_structure(port, call.args)
        kwargs = keras.tree.map_structure(port, call.kwargs)
        node = _add(level, call, args, kwargs)
        tensors.update(zip(map(id, call.outputs), node.outputs, strict=True))
    level.inputs = keras.tree.map_structure(port, level.model.input)
    level.outputs = keras.tree.map_structure(port, level.model.output)


def _read_chain(level: Level) -> None:
    # What Keras puts between the layers (casts, masks) it puts there again when the chain is built.
    for call in _keras.calls(level.model):
        if isinstance(call.operation, keras.layers.Layer):
            _add(level, call, (level.nodes[-1].outputs[0],) if level.nodes else (), {})
    level.inputs = level.nodes[0].outputs[0]
    level.outputs = level.nodes[-1].outputs[0]
