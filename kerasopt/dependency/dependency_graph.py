"""Following channels through a model: what is tied to what, and where each one stands."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasopt.dependency.tensor_channels import Call, Place, Signal, Size, Slice, Work
from kerasopt.dependency.union_find import Atoms, Labels
from kerasopt.graph import Graph, Level, Node, Port
from kerasopt.graph.node import ports


class Trace:
    """What is known of the channels of a model.

    Attributes:
        graph: The graph that was followed.
        atoms: Its channels.
        places: Where they stand, by (id of the variable, axis).
        sizes: The arguments that count them.
        calls: All calls of layers, in order; those inside a model that is called several times as
            often as it is.
        heads: Channels that are heads of attention.
        slices: The calls that cut channels.
        uncounted: Paths of layers whose multiplications are not known.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.atoms = Atoms()
        self.places: dict[tuple[int, int], Place] = {}
        self.sizes: list[Size] = []
        self.calls: list[Call] = []
        self.heads: list[Labels] = []
        self.slices: list[Slice] = []
        self.uncounted: list[str] = []
        self._counted: dict[tuple[int, tuple[str, ...], int | None], Labels | None] = {}
        self._unlabelled: set[tuple[int, int]] = set()
        self._fixed = {
            id(leaf)
            for node in graph.nodes
            for leaf in keras.tree.flatten((node.args, node.kwargs))
            if isinstance(leaf, keras.Variable)
        }
        self._signals: dict[int, Signal] = {}
        self._inside: dict[int, tuple[int, int]] = {}
        top = graph.top
        self._level(top)
        for port in ports(top.outputs):
            for labels in self._signals[id(port)].all():
                self.atoms.freeze(labels, "gives an output of the model", rather=True)

    # -- levels ------------------------------------------------------------------------------

    def _level(self, level: Level) -> None:
        for node in level.nodes:
            if node.is_input:
                for port in node.outputs:
                    self._signals.setdefault(id(port), Signal(port.shape, port.dtype))
            elif node.inner is not None:
                self._model(node, node.inner)
            else:
                self._layer(node)

    def _model(self, node: Node, inner: Level) -> None:
        for given, entry in self._entries(node, inner):
            signal = self._signals[id(given)]
            known = self._signals.get(id(entry))
            if known is None:
                self._signals[id(entry)] = signal
                for axis, labels in signal.labels.items():
                    self.counts(entry.node.layer, ["batch_shape"], labels, axis)
            else:
                self._same(known, signal)
        first = id(inner) not in self._inside
        begin = len(self.calls)
        if first:
            self._level(inner)
            self._inside[id(inner)] = (begin, len(self.calls))
        else:
            begin, end = self._inside[id(inner)]
            self.calls += self.calls[begin:end]
        for port, result in zip(node.outputs, ports(inner.outputs), strict=True):
            made = self._signals[id(result)]
            self._signals[id(port)] = made if first else made.like(made.labels)

    def _entries(self, node: Node, inner: Level) -> list[tuple[Port, Port]]:
        """Pair what a nested model is given with its inputs."""
        entries = ports(inner.inputs)
        call = node.args[0] if node.args else next(iter(node.kwargs.values()))
        if isinstance(call, Mapping) and not isinstance(inner.inputs, Mapping):
            # Keras takes a dict for a model that was built with a list, by the names of its inputs.
            by_name = {entry.node.layer.name: entry for entry in entries}
            if set(call) == set(by_name):
                return [(given, by_name[name]) for name, given in call.items()]
        elif isinstance(call, Mapping) == isinstance(inner.inputs, Mapping):
            return list(zip(node.data, entries, strict=True))
        for given in node.data:
            self.freeze(self._signals[id(given)], f"{node.path} is given it in another structure")
        for entry in entries:
            self._signals.setdefault(id(entry), Signal(entry.shape, entry.dtype))
        return []

    def _same(self, one: Signal, other: Signal) -> None:
        """Tie the channels of two tensors that the same layers take."""
        for axis in {*one.labels, *other.labels}:
            mine, its = one.at(axis), other.at(axis)
            if mine is not None and its is not None:
                self.atoms.tie(mine, its)
                continue
            for labels in (mine, its):
                if labels is not None:
                    self.freeze(labels, "shares layers with a tensor that cannot lose channels")

    def _layer(self, node: Node) -> None:
        from kerasopt.dependency.rules import follow

        given = [self._signals[id(port)] for port in node.data]
        self.calls.append(Call(node.path, node.layer, given, [], node=node))
        made = follow(self, node, given)
        self.calls[-1].made = made
        self._signals.update(zip(map(id, node.outputs), made, strict=True))

    def signal(self, port: Port) -> Signal:
        """Give what is known of a tensor of the graph."""
        return self._signals[id(port)]

    # -- what the rules say ------------------------------------------------------------------

    def freeze(self, what: Signal | Labels, reason: str) -> None:
        """Keep channels for good, and say why."""
        for labels in what.all() if isinstance(what, Signal) else [what]:
            self.atoms.freeze(labels, reason)

    def makes(self, owner: Any, variable: Any, axis: int, labels: Labels | None = None) -> Labels:
        """Note that channels are made along an axis of a kernel or bias; new ones unless given."""
        found = self.places.get((id(variable), axis % len(variable.shape)))
        if found is not None and labels is None:
            return found.labels
        made = self.atoms.new(variable.shape[axis]) if labels is None else labels
        self._note(owner, variable, axis, made, "makes")
        return made

    def takes(
        self, owner: Any, variable: Any, axis: int, labels: Labels | None, reads: str | None = ""
    ) -> None:
        """Note that a kernel takes channels along an axis; `None`: a tensor that keeps its size."""
        self._note(owner, variable, axis, labels, "takes", reads)

    def scales(self, owner: Any, variable: Any, axis: int, labels: Labels | None) -> None:
        """Note that a variable belongs, along an axis, to channels that pass."""
        self._note(owner, variable, axis, labels, "scales")

    def counts(
        self,
        owner: Any,
        key: Sequence[str],
        labels: Labels | None,
        index: int | None = None,
        always: bool = False,
    ) -> None:
        """Note that an argument counts channels; `None`: what keeps its size."""
        place = (id(owner), tuple(key), index)
        known = self._counted.setdefault(place, labels)
        if labels is None or known is None:
            for one in (labels, known):
                if one is not None:
                    self.freeze(one, "its layer is also called on what cannot lose channels")
        elif known is not labels:
            self.atoms.tie(known, labels)
        if labels is not None:
            self.sizes.append(Size(owner, tuple(key), labels, index, always))

    def works(self, owner: Any, variable: Any, times: Sequence[int | Labels]) -> None:
        """Note multiplications: of each weight of a kernel, so many times; or without a kernel."""
        self.calls[-1].works.append(Work(owner, variable, list(times)))

    def fix(self, layer: Any) -> None:
        """Keep all weights of a layer as they are, whoever else has them."""
        for variable in getattr(layer, "variables", ()):
            self._fixed.add(id(variable))
            for axis in range(len(variable.shape)):
                found = self.places.get((id(variable), axis))
                if found is not None:
                    self.freeze(found.labels, f"{layer.name!r} has its weights too")

    def _note(
        self,
        owner: Any,
        variable: Any,
        axis: int,
        labels: Labels | None,
        role: str,
        reads: str | None = "",
    ) -> None:
        key = (id(variable), axis % len(variable.shape))
        found = self.places.get(key)
        if labels is not None and id(variable) in self._fixed:
            self.freeze(labels, "its weights are used elsewhere too")
        if labels is None:
            self._unlabelled.add(key)
            if found is not None:
                self.freeze(found.labels, "its layer is also called on what cannot lose channels")
        elif found is None:
            if len(labels) != variable.shape[axis]:
                raise ValueError(
                    f"{variable.path!r} has {variable.shape[axis]} places on axis {axis}, not "
                    f"{len(labels)}."
                )
            self.places[key] = Place(owner, variable, key[1], np.asarray(labels), role, reads)
            if key in self._unlabelled:
                self.freeze(labels, "its layer is also called on what cannot lose channels")
        else:
            if found.owner is not owner:
                self.freeze(labels, "its weights belong to several layers")
            self.atoms.tie(found.labels, labels)
