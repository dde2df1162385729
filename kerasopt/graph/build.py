"""From levels of nodes back to a Keras model."""

from collections.abc import Callable
from typing import Any

import keras

from kerasopt import _keras
from kerasopt.graph.compiling import compile_like
from kerasopt.graph.copies import fresh
from kerasopt.graph.node import Level, Node, Port
from kerasopt.graph.own import carry_own, construct
from kerasopt.graph.state import carry_flags, carry_over

Transfer = Callable[[Any, Any], None]


class Builder:
    """Builds every layer of a graph once, however often and at however many levels it is called.

    Args:
        added: Ids of layers that are new in the graph: used as they are, not copied.
        replaced: Id of an old layer -> the layer in its place, and what carries its weights over.
    """

    def __init__(self, added: set[int], replaced: dict[int, tuple[Any, Transfer]]):
        self._added = added
        self._replaced = replaced
        self._layers: list[tuple[Any, Any]] = []
        self._models: list[tuple[Any, Any]] = []
        self._copies: dict[int, Any] = {}

    def build(self, level: Level) -> Any:
        """Build the model of `level`, with all the state of the old one, compiled as it was."""
        model = self._model(level)
        for old, new in self._layers:
            place = self._replaced.get(id(old))
            transfer = place[1] if place else carry_over
            transfer(old, new)
        for old, new in self._models:
            if not _keras.is_plain(old):
                carry_own(old, new, self._copies)
        # Freezing a model freezes what is inside it, so the outermost model goes first.
        for old, new in reversed(self._models):
            if new.trainable != old.trainable:
                new.trainable = old.trainable
        for old, new in self._layers:
            if id(old) not in self._replaced:
                carry_flags(old, new)
        compile_like(level.model, model)
        return model

    def _model(self, level: Level) -> Any:
        model = self._chain(level) if level.is_chain else self._functional(level)
        self._copies[id(level.model)] = model
        self._models.append((level.model, model))
        return model

    def _chain(self, level: Level) -> Any:
        return construct(level.model, layers=[self._operation(node) for node in level.nodes])

    def _functional(self, level: Level) -> Any:
        tensors: dict[int, Any] = {}

        def fill(value: Any) -> Any:
            return tensors[id(value)] if isinstance(value, Port) else value

        for node in level.nodes:
            operation = self._operation(node)
            if node.is_input:
                made = [operation.output]
            else:
                args = keras.tree.map_structure(fill, node.args)
                kwargs = keras.tree.map_structure(fill, node.kwargs)
                made = keras.tree.flatten(operation(*args, **kwargs))
            tensors.update(zip(map(id, node.outputs), made, strict=True))
        inputs = keras.tree.map_structure(fill, level.inputs)
        outputs = keras.tree.map_structure(fill, level.outputs)
        return construct(level.model, inputs=inputs, outputs=outputs)

    def _operation(self, node: Node) -> Any:
        old = node.layer
        if id(old) in self._added:
            return old
        if id(old) not in self._copies:
            if id(old) in self._replaced:
                new = self._replaced[id(old)][0]
            elif node.inner is not None:
                return self._model(node.inner)
            else:
                new = fresh(old)
            self._copies[id(old)] = new
            if isinstance(old, keras.layers.Layer):
                self._layers.append((old, new))
        return self._copies[id(old)]
