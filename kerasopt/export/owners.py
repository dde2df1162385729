"""Which layers each operation of a file belongs to."""

from collections.abc import Mapping

from kerasopt.export.schema import EDGES
from kerasopt.export.scopes import layers_of
from kerasopt.export.structure import Graph, widens


def owners(
    graph: Graph, known: Mapping[str, str], ends: Mapping[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Find the layers of each operation.

    The converter fuses layers into one operation (a convolution, its normalization, its
    activation): that one belongs to all that its name tells of. Weights that are widened to float
    belong to the operation that reads them. A change of activations between float and integers
    belongs to none, and an operation that the model does itself, outside its layers, neither.

    Args:
        graph: Of a file.
        known: By scope, the path of a layer, in the model's order.
        ends: By output name, the path of the layer that it comes from.

    Returns:
        For each operator of the graph, paths of layers in the model's order.
    """
    order = {path: position for position, path in enumerate(known.values())}
    last = {graph.names[name]: path for name, path in ends.items() if name in graph.names}
    for operator in reversed(graph.operators):
        if operator.name in EDGES and operator.outputs[0] in last:
            last.setdefault(operator.inputs[0], last[operator.outputs[0]])
    found = []
    for operator in graph.operators:
        names = (graph.tensors[one].name for one in operator.outputs)
        paths = {path for name in names for path in layers_of(name, known)}
        if operator.name in EDGES:
            paths = set()
        elif not paths:
            paths = {last[one] for one in operator.outputs if one in last}
        found.append(tuple(sorted(paths, key=order.__getitem__)))
    readers: dict[int, int] = {}
    for step, operator in enumerate(graph.operators):
        for one in operator.inputs:
            readers.setdefault(one, step)
    for step, operator in enumerate(graph.operators):
        if widens(graph, operator) and operator.outputs[0] in readers:
            found[step] = found[readers[operator.outputs[0]]]
    return tuple(found)
