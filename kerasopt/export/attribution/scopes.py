"""Which Keras layer an operation of a file comes from: written in its name when it is traced."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kerasopt._layers import Call, calls_through


def scopes(paths: Iterable[str]) -> dict[str, str]:
    """Give each layer's path a name that TensorFlow takes, and no other layer has.

    Args:
        paths: Of layers, as `kerasopt.selection.walk` gives them.

    Returns:
        Dict of name -> path.

    Example:
    >>> scopes(["conv", "block/conv", "block/conv#2", "block/conv 2"])
    {'conv': 'conv', 'block/conv': 'block/conv', 'block/conv_2': 'block/conv#2',
     'block/conv_2.1': 'block/conv 2'}
    """
    found: dict[str, str] = {}
    for path in paths:
        plain = re.sub(r"[^A-Za-z0-9_.\-/]", "_", path)
        plain = name = plain if re.match(r"[A-Za-z0-9.]", plain) else f"x{plain}"
        number = 0
        while name in found:
            number += 1
            name = f"{plain}.{number}"
        found[name] = path
    return found


def layers_of(name: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Find the layers that a tensor of a file comes from; of several that were fused all.

    Args:
        name: Of the tensor: names of operations, joined by `;`.
        known: What `scopes` gave.

    Returns:
        Their paths, each once, in the order of the name.

    Example:
    >>> known = scopes(["conv", "norm", "inner", "inner/dense"])
    >>> layers_of("norm/Relu;norm/batchnorm/mul_1;conv/convolution1", known)
    ('norm', 'conv')
    >>> layers_of("inner/dense/MatMul_1", known), layers_of("inner/Add", known)
    (('inner/dense',), ('inner',))
    >>> layers_of("model_1/Add", known)
    ()
    """
    found: dict[str, None] = {}
    for part in name.split(";"):
        pieces = part.split("/")
        for count in range(len(pieces) - 1, 0, -1):
            path = known.get("/".join(pieces[:count]))
            if path is not None:
                found[path] = None
                break
    return tuple(found)


@contextmanager
def named(layers: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Have layers write their names into the operations that they trace.

    Keras writes the layer's name too, but TensorFlow makes names unique by a number at the end, and
    then `dense` called twice looks like `dense_1`.

    Args:
        layers: By path, Keras layers; they are as before when the context ends.

    Yields:
        What `scopes` gives for its layers.
    """
    import tensorflow as tf

    known = scopes(layers)
    of_layer = {id(layers[path]): scope for scope, path in known.items()}

    def within(layer: Any, call: Call) -> Call:
        def called(*args: Any, **kwargs: Any) -> Any:
            # With the slash the name is taken as it is, however often.
            with tf.name_scope(f"{of_layer[id(layer)]}/"):
                return call(*args, **kwargs)

        return called

    with calls_through(layers.values(), within):
        yield known


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
