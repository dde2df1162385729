"""Residual branches of a graph: what is added to a shortcut around it."""

from kerasopt import _keras
from kerasopt.graph import Graph, Node, Port
from kerasopt.graph.node import ports
from kerasopt.selection import has_kernel


def branch_ends(graph: Graph) -> list[Node]:
    """Give the last call of each residual branch, in order.

    A branch is one of two summands that come from one tensor, and whose other one, the shortcut,
    meets at most one layer with a kernel on the way (a projection) and fewer than the branch does
    (He et al., 2016, "Deep Residual Learning for Image Recognition").

    Args:
        graph: The graph of a model.
    """
    ends: list[Node] = []
    for node in graph.nodes:
        # The layer, and the operation behind `x + y`.
        if _keras.operation_kind(node.layer) != "Add" or len(node.inputs) != 2:
            continue
        end = _branch(*node.inputs)
        if end is None or len(end.outputs) != 1 or graph.is_output(end):
            continue
        if len(graph.consumers(end)) == 1:  # nobody but the sum
            ends.append(end)
    return ends


def _branch(one: Port, other: Port) -> Node | None:
    before, before_other = _ancestors(one.node), _ancestors(other.node)
    if not before.keys() & before_other.keys():
        return None
    own = [node for key, node in before.items() if key not in before_other]
    own_other = [node for key, node in before_other.items() if key not in before]
    counts = [sum(has_kernel(node.layer) for node in nodes) for nodes in (own, own_other)]
    if min(counts) > 1 or counts[0] == counts[1]:
        return None
    return one.node if counts[0] > counts[1] else other.node


def _ancestors(node: Node) -> dict[int, Node]:
    """Give the calls on the ways to a call in its own model, itself included."""
    found: dict[int, Node] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += [port.node for port in ports((one.args, one.kwargs))]
    return found
