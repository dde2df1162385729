"""The parts of a graph: a tensor, a call that makes tensors, a model that holds calls."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras


@dataclass(eq=False)
class Port:
    """One tensor of a graph: an output of a node.

    Attributes:
        node: The node that gives it.
        index: Which of the node's outputs it is, counted over their flat list.
        shape: Tuple with `None` for what is not known, batch first.
        dtype: Name of its type, as `"float32"`.
    """

    node: "Node"
    index: int
    shape: tuple[int | None, ...]
    dtype: str

    def __repr__(self) -> str:
        return f"Port({self.node.path!r}, {self.index}, shape={self.shape}, dtype={self.dtype!r})"


@dataclass(eq=False)
class Node:
    """One call of a layer (or of an operation such as `keras.ops.relu`) in a model.

    A layer that is called several times has as many nodes.

    Attributes:
        layer: The layer or operation of the model that was read; never a copy.
        path: Its name, after the names of the models around it: `"encoder/dense"`.
        args: Positional arguments of the call; a `Port` stands wherever a tensor was.
        kwargs: Keyword arguments, likewise.
        level: The model, of those nested in each other, in which the call happens.
        outputs: The tensors it gives, as `Port`s.
        inner: The inside of `layer` where it is a model with a graph of its own, else `None`.
    """

    layer: Any
    path: str
    args: Any
    kwargs: Any
    level: "Level"
    outputs: list[Port] = field(default_factory=list)
    inner: "Level | None" = None

    @property
    def inputs(self) -> list[Port]:
        """The tensors among its arguments, in order."""
        return ports((self.args, self.kwargs))

    @property
    def data(self) -> list[Port]:
        """The inputs without the mask that Keras hands along by itself."""
        kwargs = {name: value for name, value in self.kwargs.items() if name != "mask"}
        return ports((self.args, kwargs))

    @property
    def is_input(self) -> bool:
        """Whether this is an `InputLayer`."""
        return isinstance(self.layer, keras.layers.InputLayer)

    def __repr__(self) -> str:
        return f"Node({self.path!r}, {type(self.layer).__name__})"


@dataclass(eq=False)
class Level:
    """One model and the calls directly inside it.

    Attributes:
        model: The Functional or Sequential model that was read.
        prefix: What the paths of its nodes begin with: `""`, or `"encoder/"`.
        nodes: Its calls, each after those it needs.
        inputs: The model's inputs: a `Port`, or the list, tuple or dict the model was built with.
        outputs: The model's outputs, likewise.
        callers: The nodes that call this model, where it is inside another one.
    """

    model: Any
    prefix: str
    nodes: list[Node] = field(default_factory=list)
    inputs: Any = None
    outputs: Any = None
    callers: list[Node] = field(default_factory=list)

    @property
    def is_chain(self) -> bool:
        """Whether it is a Sequential model, so that each node feeds the next and no other."""
        return isinstance(self.model, keras.Sequential)

    def consumers(self, port: Port) -> list[Node]:
        """Give the nodes of this level that take `port`."""
        return [node for node in self.nodes if any(one is port for one in node.inputs)]

    def rewire(self, old: Port, new: Port, but: Node | None = None) -> None:
        """Let everything that takes `old` take `new`, the node `but` excepted."""

        def swap(value: Any) -> Any:
            return new if value is old else value

        for node in self.nodes:
            if node is not but and any(one is old for one in node.inputs):
                node.args = keras.tree.map_structure(swap, node.args)
                node.kwargs = keras.tree.map_structure(swap, node.kwargs)
        self.outputs = keras.tree.map_structure(swap, self.outputs)

    def everything(self, seen: set[int] | None = None) -> Iterator[Node]:
        """Give the nodes of this level and of all levels inside it, every level once."""
        seen = set() if seen is None else seen
        seen.add(id(self))
        for node in list(self.nodes):
            yield node
            if node.inner is not None and id(node.inner) not in seen:
                yield from node.inner.everything(seen)


def ports(structure: Any) -> list[Port]:
    """Give the ports in a nested structure, in order."""
    return [leaf for leaf in keras.tree.flatten(structure) if isinstance(leaf, Port)]


def takers(port: Port) -> Iterator[Node]:
    """Give the calls of layers and operations that take `port`, never of a model with a graph.

    A model that takes it is looked into; where it is the result of a nested model, those that take
    that model's result follow.
    """
    level = port.node.level
    for node in level.consumers(port):
        if node.inner is None:
            yield node
            continue
        for given, entry in zip(node.inputs, ports(node.inner.inputs), strict=False):
            if given is port:
                yield from takers(entry)
    for result in results(port):
        yield from takers(result)


def results(port: Port) -> Iterator[Port]:
    """Give what `port` is called one level up, where it is a result of a nested model."""
    level = port.node.level
    for index, one in enumerate(ports(level.outputs)):
        if one is port:
            for caller in level.callers:
                yield caller.outputs[index]


def leaves(port: Port, top: Level) -> bool:
    """Tell whether `port` is an output of the outermost model, directly or through nested ones."""
    if port.node.level is top:
        return any(one is port for one in ports(top.outputs))
    return any(leaves(result, top) for result in results(port))
