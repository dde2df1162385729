"""How much memory the activations of a file take, by the lifetimes of its tensors."""

from kerasopt.export.structure import Graph, widens


def peak_memory(graph: Graph) -> int:
    """Give the bytes of all tensors that are needed at once, at their most.

    A tensor lives from the operation that makes it to the last one that reads it, an input from the
    beginning, an output to the end; constants lie in the file, and weights that are widened to
    float when the file is loaded (float16, weight-only) are no activations. It is what an arena
    without gaps would need, so an interpreter takes at least as much. An axis of any size counts as
    one entry.

    Args:
        graph: The first graph of a file.
    """
    last = len(graph.operators)
    widened = {one.outputs[0] for one in graph.operators if widens(graph, one)}
    born = dict.fromkeys(graph.inputs, 0)
    dies = dict.fromkeys(graph.inputs, 0)
    for step, operator in enumerate(graph.operators):
        for position in set(operator.outputs) - widened:
            born.setdefault(position, step)
        for position in (*operator.inputs, *operator.outputs):
            dies[position] = step
    dies.update(dict.fromkeys(graph.outputs, last))
    for position, tensor in enumerate(graph.tensors):
        if tensor.variable:
            born[position], dies[position] = 0, last
    change = [0] * (last + 2)
    for position, step in born.items():
        size = graph.tensors[position].memory if position >= 0 else 0
        change[step] += size
        change[dies[position] + 1] -= size
    most = now = 0
    for step in change:
        now += step
        most = max(most, now)
    return most
