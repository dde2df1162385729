"""What layers have in common that the calls of a graph do not show."""

from collections.abc import Iterator
from typing import Any

import keras

from kerasopt import _keras
from kerasopt.graph.node import Level, Node
from kerasopt.selection import walk


def owners(top: Level) -> dict[int, Node]:
    """Give the id of each layer and operation that is called -> its first call, models opened."""
    found: dict[int, Node] = {}
    for node in top.everything():
        found.setdefault(id(node.layer), node)
    return found


def held_in_common(called: dict[int, Node]) -> set[int]:
    """Give the ids of layers inside a layer that are also called, or inside another layer too.

    A model in a `TimeDistributed` may be called beside it; two wrappers may hold the same layer.

    Args:
        called: What `owners` gives.
    """
    seen, common = set(called), set()
    for node in called.values():
        if node.inner is None and isinstance(node.layer, keras.layers.Layer):
            inside = {id(part) for _, part in walk(node.layer) if _counts(part)}
            common |= inside & seen
            seen |= inside
    return common


def outermost(layer: Any, common: set[int]) -> Iterator[Any]:
    """Give the layers inside `layer` that are held in common, not looking further into these."""
    for part in _keras.sublayers(layer):
        if id(part) in common:
            yield part
        else:
            yield from outermost(part, common)


def _counts(layer: Any) -> bool:
    return not isinstance(layer, keras.layers.InputLayer)
