"""How the layers of a traced model hang together, as far as the names in its graph tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kerasopt.export.scopes import layers_of


@dataclass(frozen=True)
class Origin:
    """Where the operations of a traced model come from.

    Attributes:
        scopes: By the name that its operations begin with, the path of a layer, in the model's
            order.
        parents: By path of a layer, the paths of those whose results it takes.
        ends: By output name, the paths of the layers that give it.
    """

    scopes: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ends: Mapping[str, frozenset[str]] = field(default_factory=dict)


def origin_of(graph: Any, outputs: Mapping[str, Any], scopes: Mapping[str, str]) -> Origin:
    """Read a TensorFlow graph that was traced with `named` layers.

    Args:
        graph: The graph.
        outputs: Its output tensors by name.
        scopes: What `named` gave.
    """
    near: dict[str, frozenset[str]] = {}
    parents: dict[str, frozenset[str]] = {}
    for operation in graph.get_operations():
        before = frozenset(
            path for one in operation.inputs for path in near.get(one.op.name, frozenset())
        )
        mine = frozenset(layers_of(operation.name, scopes))
        for path in mine:
            parents[path] = parents.get(path, frozenset()) | (before - mine)
        near[operation.name] = mine or before
    ends = {name: near.get(tensor.op.name, frozenset()) for name, tensor in outputs.items()}
    return Origin(scopes, parents, ends)
