"""Which layers each operation of a file belongs to."""

from collections.abc import Iterable, Sequence

from kerasopt.export.attribution.scopes import Origin, layers_of
from kerasopt.export.file.flatbuffer import EDGES, Graph, Operator, widens

Owners = tuple[tuple[str, ...], ...]
"""For each operator of a graph, paths of layers in the model's order."""


def owners(graphs: Sequence[Graph], origin: Origin) -> tuple[Owners, ...]:
    """Find the layers of each operation.

    The converter fuses layers into one operation (a convolution, its normalization, its
    activation): that one belongs to all that its name tells of. Where it gives an operation another
    name, as to the one before an output, it belongs to the layers before its reader that have no
    other operation. What the body of a loop does belongs to the layer that loops. Weights that are
    widened to float belong to the operation that reads them. A change of activations between float
    and integers belongs to none, and an operation that the model does itself, outside its layers,
    neither.

    Args:
        graphs: Of a file.
        origin: How the layers hang together.

    Returns:
        For each graph, and each of its operators, paths of layers in the model's order.
    """
    main = _Main(graphs[0], origin).found()
    order = {path: position for position, path in enumerate(origin.scopes.values())}
    loops = {
        tuple(sorted(paths))
        for operator, paths in zip(graphs[0].operators, main, strict=True)
        if operator.name == "WHILE"
    }
    inside = set(loops.pop()) if len(loops) == 1 else set()
    found = [main]
    for graph in graphs[1:]:
        named = (_named(graph, operator, origin) for operator in graph.operators)
        found.append([paths or inside for paths in named])
    return tuple(
        tuple(tuple(sorted(paths, key=order.__getitem__)) for paths in graph) for graph in found
    )


class _Main:
    """The graph that runs."""

    def __init__(self, graph: Graph, origin: Origin):
        self._graph, self._origin = graph, origin
        self._paths = [_named(graph, operator, origin) for operator in graph.operators]
        self._owned = {path for paths in self._paths for path in paths}
        self._readers: dict[int, list[int]] = {}
        for step, operator in enumerate(graph.operators):
            for one in operator.inputs:
                self._readers.setdefault(one, []).append(step)
        self._ends = {
            graph.names[name]: paths for name, paths in origin.ends.items() if name in graph.names
        }

    def found(self) -> list[set[str]]:
        nameless = [
            step
            for step in reversed(range(len(self._graph.operators)))
            if not self._paths[step] and self._is_nameless(self._graph.operators[step])
        ]
        # First what ends in outputs, then what lies before that, then what was fused into it.
        fused: dict[int, set[str]] = {}
        for step in nameless:
            ends = self._near(step)[0]
            fused[step] = ends - self._owned
            self._paths[step] = ends
        self._owned.update(*(self._paths[step] for step in nameless))
        for step in nameless:
            if not self._paths[step]:
                readers = self._near(step)[1]
                first = self._before(readers)
                self._paths[step] = self._with_parents(first) if first else readers
        for step, paths in fused.items():
            self._paths[step] |= self._with_parents(paths)
        for step, operator in enumerate(self._graph.operators):
            if widens(self._graph, operator):
                reading = self._readers.get(operator.outputs[0], [])
                self._paths[step] = {path for one in reading for path in self._paths[one]}
        return self._paths

    def _is_nameless(self, operator: Operator) -> bool:
        names = (self._graph.tensors[one].name for one in operator.outputs)
        return operator.name not in EDGES and not any("/" in name for name in names)

    def _before(self, paths: Iterable[str]) -> set[str]:
        """Give the layers before some that have no operation yet."""
        before = (self._origin.parents.get(path, frozenset()) for path in paths)
        return {path for some in before for path in some} - self._owned

    def _with_parents(self, paths: set[str]) -> set[str]:
        """Give layers, and those before them that have no operation: all are fused into one."""
        found = set(paths)
        self._owned |= found
        waiting = list(paths)
        while waiting:
            more = self._before([waiting.pop()])
            found |= more
            self._owned |= more
            waiting += more
        return found

    def _near(self, step: int) -> tuple[set[str], set[str]]:
        """Give the layers of the outputs that an operation gives, and those of its readers."""
        ends: set[str] = set()
        readers: set[str] = set()
        for one in self._graph.operators[step].outputs:
            more, others = self._after(one)
            ends |= more
            readers |= others
        return ends, readers

    def _after(self, tensor: int) -> tuple[set[str], set[str]]:
        """Give the layers of the output that a tensor is, and those of its readers."""
        ends = set(self._ends.get(tensor, ()))
        readers: set[str] = set()
        for step in self._readers.get(tensor, []):
            operator = self._graph.operators[step]
            if operator.name in EDGES:
                more, others = self._after(operator.outputs[0])
                ends |= more
                readers |= others
            else:
                readers |= self._paths[step]
        return ends, readers


def _named(graph: Graph, operator: Operator, origin: Origin) -> set[str]:
    if operator.name in EDGES:
        return set()
    names: Iterable[str] = (graph.tensors[one].name for one in operator.outputs)
    return {path for name in names for path in layers_of(name, origin.scopes)}
