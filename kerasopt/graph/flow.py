"""Where a tensor goes, across the borders of nested models."""

from collections.abc import Iterator

from kerasopt.graph.node import Level, Node, Port, ports


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
