"""A smaller model from a trace and the channels that go."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _keras
from kerasopt._kernels import numbers
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.dependency.tensor_channels import Size
from kerasopt.dependency.union_find import Labels
from kerasopt.graph import Graph
from kerasopt.graph.state import assign
from kerasopt.structured.surgery.reconstruction import reconstructed

Array = NDArray[Any]


class Rebuilding:
    """What of each weight and argument stays when some channels go.

    Args:
        trace: What is known of the model.
        groups: Its groups.
        gone: For each group a Boolean array: which of its channels go.
    """

    def __init__(self, trace: Trace, groups: Sequence[Group], gone: Sequence[NDArray[np.bool_]]):
        self._trace = trace
        roots = [one.roots[mask] for one, mask in zip(groups, gone, strict=True)]
        self._gone = np.sort(np.concatenate(roots or [np.zeros(0, np.int64)]))
        self._places = defaultdict(list)
        for (key, axis), place in trace.places.items():
            kept = self.kept(place.labels)
            if not kept.all():
                self._places[key].append((axis, np.flatnonzero(kept), place))
        self._values: Mapping[int, Array] = {}

    def reconstruct(self, batches: Sequence[Any]) -> None:
        """Let the kernels that take channels make up for those that go, as data show them."""
        self._values = reconstructed(self._trace, self.kept, batches)

    def kept(self, labels: Labels) -> NDArray[np.bool_]:
        """Tell which places along an axis stay."""
        roots = self._trace.atoms.roots(labels)
        if not len(self._gone):
            return np.ones(len(roots), bool)
        at = np.minimum(np.searchsorted(self._gone, roots), len(self._gone) - 1)
        kept: NDArray[np.bool_] = self._gone[at] != roots
        return kept

    def part(self, variable: Any) -> Array:
        """Give of a variable, or of what has its shape, what stays of it."""
        return self.part_of(variable, self._value(variable))

    def _value(self, variable: Any) -> Array:
        value = self._values.get(id(variable))
        return keras.ops.convert_to_numpy(variable.value) if value is None else value

    def part_of(self, variable: Any, value: Array) -> Array:
        """Give of an array of a variable's shape what stays of it."""
        for axis, at, _ in self._places.get(id(variable), ()):
            value = np.take(value, at, axis=axis)
        return value

    def _moved(self, variable: Any, average: Array) -> Array:
        """Give what stays of a variable's moving average, as far from it as it was."""
        if id(variable) in self._values:
            average = average + (self._values[id(variable)] - numbers(variable))
        return self.part_of(variable, average)

    def check(self, copied: Any = False) -> None:
        """Make sure that each layer can be copied with the sizes it is to have.

        Args:
            copied: As `build` will be given it. Defaults to `False`.

        Raises:
            ValueError: Naming the first that cannot.
        """
        graph = Graph.of(self._trace.graph.model)
        self._resize(graph)
        graph.check(copied)

    def build(self, copied: Any = False) -> tuple[Any, list[tuple[Any, Any]]]:
        """Build the smaller model.

        Args:
            copied: Which nested models are copied though nothing in them changes, as in
                `Graph.build`. Defaults to `False`.

        Returns:
            It, with its optimizer's state if it is compiled, and pairs of an old layer and the one
            in its place.
        """
        graph = Graph.of(self._trace.graph.model)
        self._resize(graph)
        self._cut(graph)
        model = graph.build(copied)
        carry_optimizer(graph.model, model, graph.copies, self.part_of, self._moved)
        _check(graph.model, model)
        return model, graph.copies

    def masked(self) -> Any:
        """Build a copy of the same size in which nothing takes the channels that go."""
        graph = Graph.of(self._trace.graph.model)
        model = graph.build(copied=True)
        pairs = {
            id(old): new
            for one, other in graph.copies
            for old, new in zip(one.weights, other.weights, strict=True)
        }
        for key, value in self._values.items():
            assign(pairs[key], value)
        for key, places in self._places.items():
            for axis, at, place in places:
                if place.role != "takes":
                    continue
                variable = pairs[key]
                value = np.array(keras.ops.convert_to_numpy(variable.value))
                taken = np.ones(value.shape[axis], bool)
                taken[at] = False
                np.moveaxis(value, axis, 0)[taken] = 0
                assign(variable, value)
        return model

    def _resize(self, graph: Graph) -> None:
        sizes: dict[int, list[Size]] = defaultdict(list)
        changed = {id(p.owner) for places in self._places.values() for *_, p in places}
        for size in self._trace.sizes:
            if not self.kept(size.labels).all():
                changed.add(id(size.owner))
            elif not size.always:
                continue
            sizes[id(size.owner)].append(size)
        for node in graph.nodes:
            if id(node.layer) in changed:
                changed.discard(id(node.layer))
                graph.resize(node, self._change(sizes.get(id(node.layer), [])), self.part)

    def _change(self, sizes: Sequence[Size]) -> Any:
        def change(config: dict[str, Any]) -> None:
            for size in sizes:
                inner = config
                for key in size.key[:-1]:
                    inner = inner[key]
                left, name = int(self.kept(size.labels).sum()), size.key[-1]
                inner[name] = left if size.index is None else _set(inner[name], size.index, left)

        return change

    def _cut(self, graph: Graph) -> None:
        """Move the numbers of `x[..., begin:end]` to where the same channels stand now."""
        places = {id(node): number for number, node in enumerate(self._trace.graph.nodes)}
        nodes = graph.nodes
        for one in self._trace.slices:
            kept = self.kept(one.labels)
            if kept.all():
                continue
            node = nodes[places[id(one.node)]]
            begin, end = int(kept[: one.begin].sum()), int(kept[: one.end].sum())

            def moved(key: Any, one: Any = one, begin: int = begin, end: int = end) -> Any:
                parts = list(key) if isinstance(key, (tuple, list)) else [key]
                parts[one.place] = slice(begin, end)
                return tuple(parts)

            if len(node.args) > 1:
                node.args = (node.args[0], moved(node.args[1]), *node.args[2:])
            else:
                node.kwargs = {k: moved(v) if k == "key" else v for k, v in node.kwargs.items()}


def _set(value: Any, index: int, number: int) -> Any:
    if not isinstance(value, (list, tuple)):
        return number  # an output of one axis, given as a number
    found = list(value)
    found[index] = number
    return type(value)(found)


def carry_optimizer(
    old: Any, new: Any, copies: Sequence[tuple[Any, Any]], part: Any, average: Any
) -> None:
    """Give the new model's optimizer the state of the old one's, of the channels that stayed."""
    before, after = getattr(old, "optimizer", None), getattr(new, "optimizer", None)
    if before is None or after is None or not before.built or not after.built:
        return
    pairs: dict[int, Any] = {}
    for one, other in copies:
        if len(one.variables) == len(other.variables):
            pairs.update(zip(map(id, one.variables), other.variables, strict=True))
    _keras.carry_scalars(before, after)
    for pick, change in ((_keras.slots, part), (_keras.averages, average)):
        slots: Mapping[int, list[Any]] = defaultdict(list)
        for variable, slot in pick(after):
            slots[id(variable)].append(slot)
        for variable, slot in pick(before):
            target = slots.get(id(pairs.get(id(variable))))
            if target:
                value = keras.ops.convert_to_numpy(slot.value)
                assign(target.pop(0), change(variable, value))


def _check(old: Any, new: Any) -> None:
    shapes = [
        [tuple(one.shape) for one in keras.tree.flatten(model.outputs)] for model in (old, new)
    ]
    if shapes[0] != shapes[1]:
        raise RuntimeError(f"The outputs would change from {shapes[0]} to {shapes[1]}.")
