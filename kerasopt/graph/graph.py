"""A model as nodes that can be looked at and changed, and built again with its weights."""

from typing import Any

import keras

from kerasopt import selection
from kerasopt._core.checks import bad_type, bad_value, did_you_mean, warn
from kerasopt.graph.build import Builder, Change, Part, Transfer
from kerasopt.graph.node import Level, Node, Port, leaves, takers
from kerasopt.graph.read import read
from kerasopt.graph.rewrite import Copied, Rewrite, Snapshot
from kerasopt.graph.state import carry_into


class Graph:
    """The graph of a Functional or Sequential model, with the models nested in it.

    Edit it, then `build()` a new model; the model it was read from never changes. Everything that
    is not edited stays: weights, moving averages and seed states, layer names, the classes of the
    model and of the models inside it, their nesting, dtype policies, what is frozen, and the names
    and structure of inputs and outputs. A nested model in which nothing is edited stays the same
    object, and its weights are those of both models.

    Attributes:
        model: The model that was read.
        nodes: Its calls, each after those it needs; the calls inside a nested model follow that
            model's first call.
        copies: After `build`, pairs of a layer that was read and the one in its place.

    Example:
    >>> import keras
    >>> from kerasopt.graph import Graph
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"),
    ...                           keras.layers.Dense(2, name="top")])
    >>> graph = Graph.of(model)
    >>> _ = graph.insert_after(graph.find("hidden"), keras.layers.ReLU(name="relu"))
    >>> [layer.name for layer in graph.build().layers]
    ['hidden', 'relu', 'top']
    """

    def __init__(self, top: Level):
        if not isinstance(top, Level):
            raise bad_type("top", "a level that was read", top, "Use `Graph.of(model)`.")
        self._top = top
        self._added: set[int] = set()
        self._replaced: dict[int, tuple[Any, Transfer]] = {}
        self._resized: dict[int, tuple[Change, Part]] = {}
        self.copies: list[tuple[Any, Any]] = []
        self._original = {id(layer) for _, layer in selection.walk(top.model)}
        self._names = {layer.name for _, layer in selection.walk(top.model)}
        self._names |= {node.layer.name for node in top.everything()} | {top.model.name}
        self._snapshot = Snapshot(top)
        self._is_built = False

    @classmethod
    def of(cls, model: Any) -> "Graph":
        """Read a model.

        Args:
            model: A built Functional or Sequential model, or a subclass of these, with models
                nested in it to any depth.

        Raises:
            TypeError: If `model` is no Keras 3 model.
            ValueError: If it is not built, or a subclassed model that has no graph.
        """
        return cls(read(model))

    @property
    def model(self) -> Any:
        """The model that was read."""
        return self._top.model

    @property
    def top(self) -> Level:
        """The level of the whole model."""
        return self._top

    @property
    def nodes(self) -> list[Node]:
        """All calls, inputs first, nested models opened where they are first called."""
        return list(self._top.everything())

    def calls_of(self, layer: Any) -> list[Node]:
        """Give the nodes that call `layer`, a layer of the model: several if it is shared."""
        return [node for node in self.nodes if node.layer is layer]

    def find(self, path: str) -> Node:
        """Give the first node with this path.

        Args:
            path: Layer name, after the names of the models around it: `"encoder/dense"`.

        Raises:
            ValueError: If there is none.
        """
        nodes = self.nodes
        for node in nodes:
            if node.path == path:
                return node
        known = list(dict.fromkeys(node.path for node in nodes))
        raise bad_value("path", f"one of {known}", path, did_you_mean(path, known))

    def consumers(self, node: Node) -> list[Node]:
        """Give the nodes that take an output of `node`, within the model in which it stands."""
        found: dict[int, Node] = {}
        for port in node.outputs:
            found.update((id(one), one) for one in node.level.consumers(port))
        return list(found.values())

    def followers(self, node: Node) -> list[Node]:
        """Give the layers and operations that take an output of `node`, across nested models.

        A model that takes it is looked into, and where `node` gives the result of a nested model,
        those that take that result follow; a nested model itself is never among them.
        """
        found: dict[int, Node] = {}
        for port in node.outputs:
            found.update((id(one), one) for one in takers(port))
        return list(found.values())

    def is_output(self, node: Node) -> bool:
        """Tell whether an output of `node` is an output of the whole model.

        The last layer of a nested model counts where that model's result is the outer one's.
        """
        return any(leaves(port, self._top) for port in node.outputs)

    def unique_name(self, base: str) -> str:
        """Give `base`, or `base_1`, `base_2`, ... whichever no layer of the model has yet."""
        name, number = base, 0
        while name in self._names:
            number += 1
            name = f"{base}_{number}"
        return name

    def insert_after(self, node: Node, layer: Any, output: int = 0) -> Node:
        """Put a layer behind one call of another, so that all who took its result take the new one.

        Args:
            node: The call. Of a shared layer the other calls stay as they are.
            layer: A new Keras layer, used as it is. It gets one tensor and gives one.
            output: Which output of the call, where it has several. Defaults to `0`.

        Returns:
            The new node.

        Raises:
            TypeError: If `layer` is no Keras layer.
            ValueError: If the call's result is an output of the model (which would be renamed, and
                losses and metrics given by name would no longer find it), if there is no such
                output, or if the layer belongs to the model or its name is taken.
        """
        self._check_node(node)
        if not 0 <= output < len(node.outputs):
            raise bad_value("output", f"an integer in [0, {len(node.outputs)})", output)
        port = node.outputs[output]
        self._refuse_output(port, "insert after")
        self._check_new(layer, node.level)
        new = Node(layer, f"{node.level.prefix}{layer.name}", (port,), {}, node.level)
        new.outputs = [Port(new, 0, port.shape, port.dtype)]
        node.level.nodes.insert(node.level.nodes.index(node) + 1, new)
        node.level.rewire(port, new.outputs[0], but=new)
        self._added.add(id(layer))
        self._names.add(layer.name)
        return new

    def remove(self, node: Node) -> None:
        """Take one call out, so that all who took its result take what it was given.

        Args:
            node: A call with one tensor in (and perhaps a mask) and one of the same shape out.

        Raises:
            ValueError: If it has more than that, is an input, or gives an output of the model.
        """
        self._check_node(node)
        one_to_one = len(node.data) == len(node.outputs) == 1
        if not one_to_one or node.data[0].shape != node.outputs[0].shape:
            raise bad_value("node", "a call with one tensor in and one of the same shape out", node)
        self._refuse_output(node.outputs[0], "remove")
        node.level.nodes.remove(node)
        node.level.rewire(node.outputs[0], node.data[0])
        if node.inner is not None:
            node.inner.callers.remove(node)

    def replace(self, node: Node, layer: Any, transfer: Transfer | None = None) -> None:
        """Put another layer in the place of the one that `node` calls, everywhere it is called.

        Args:
            node: A call of the layer.
            layer: A new Keras layer, called with the same arguments, less a mask if it takes none.
                It may have the old name, and must have it where the old layer gives an output of
                the model. Of a nested model that is replaced, the inside is gone.
            transfer: Function `transfer(old_layer, new_layer)` that sets the new layer's weights
                once they exist. Defaults to `None`: all weights are copied, in order, which needs
                the same shapes.

        Raises:
            TypeError: If `layer` is no Keras layer, or `transfer` cannot be called.
            ValueError: If it belongs to the model, or its name is taken or must be kept.
        """
        self._check_node(node)
        old = node.layer
        if node.is_input or not isinstance(old, keras.layers.Layer):
            raise bad_value("node", "a call of a layer that is no input", node)
        if transfer is not None and not callable(transfer):
            raise bad_type("transfer", "a function `transfer(old_layer, new_layer)`", transfer)
        self._check_new(layer, node.level, instead_of=old)
        calls = self.calls_of(old)
        if layer.name != old.name and any(self.is_output(call) for call in calls):
            raise bad_value(
                "layer",
                f"a layer named {old.name!r}",
                layer,
                "The layer it replaces gives an output of the model, and outputs go by that name "
                "in losses and metrics.",
            )
        self._names.add(layer.name)
        if id(old) in self._added:
            self._added.add(id(layer))
            for call in calls:
                call.layer, call.path = layer, f"{call.level.prefix}{layer.name}"
            return
        self._replaced[id(old)] = (layer, transfer or carry_into)
        for call in calls:
            if call.inner is not None:
                call.inner.callers.clear()
                call.inner = None

    def resize(self, node: Node, change: Change, part: Part) -> None:
        """Give the layer that `node` calls other sizes, and of its weights the part that fits.

        It stays what it is: its name, what is frozen in it, regularizers, constraints. An input of
        a model inside the model may be resized too.

        Args:
            node: A call of the layer or operation.
            change: Function that edits the layer's config, a dict of plain data, in place; of an
                operation, the dict of its attributes.
            part: Function that gives, for a variable of the layer as it is, the array of the values
                that the variable in its place gets.

        Raises:
            ValueError: If it is no node of this graph.
        """
        self._check_node(node)
        self._resized[id(node.layer)] = (change, part)

    def build(self, copied: Copied = False) -> Any:
        """Build the model that the graph describes now.

        Args:
            copied: Whether nested models in which nothing changes are copied too, so that the new
                model has no weight of the old one: `True`, or a function `model -> bool`. Defaults
                to `False`: they stay the same objects, which a new phase of training may unfreeze
                by the name the user has for them.

        Returns:
            A new model of the same class, with copies of the layers that stand in it directly. If
            the old one is compiled, so is it, with the same arguments and fresh optimizer state.
            `Rewrite.of` it says what was done.

        Raises:
            ValueError: If a layer cannot be copied from its config, or weights do not fit.
            RuntimeError: If it has been built before: the layers put in belong to that model.

        Warns:
            UserWarning: Naming models whose class cannot hold another graph, in whose place plain
                ones are, and nested models that had to be copied and are partly frozen.
        """
        if self._is_built and (self._added or self._replaced):
            raise RuntimeError("This graph has been built. Read the model again with `Graph.of`.")
        self._is_built = True
        builder = self._builder(copied)
        model = builder.build(self._top)
        self.copies = builder.copies
        self._report(builder, copied).attach(model)
        return model

    def check(self, copied: Copied = False) -> None:
        """Make sure, before anything is built, that each layer which `build` copies can be copied.

        Args:
            copied: As `build` will be given it. Defaults to `False`.

        Raises:
            ValueError: Naming the first layer or model that cannot be made again.
        """
        self._builder(copied).check(self._top)

    def _builder(self, copied: Copied) -> Builder:
        edited = {*self._added, *self._replaced, *self._resized}
        changed = self._snapshot.changed(edited, copied)
        return Builder(self._added, self._replaced, self._resized, changed, copied)

    def _report(self, builder: Builder, on_demand: Copied) -> Rewrite:
        paths: dict[int, list[str]] = {}
        for node in self.nodes:
            paths.setdefault(id(node.layer), []).append(node.path)
            if node.inner is None and isinstance(node.layer, keras.layers.Layer):
                for path, part in selection.walk(node.layer):
                    paths.setdefault(id(part), []).append(f"{node.path}/{path}")
        kept = {paths[id(one)][0]: one for one in builder.kept}
        copied = {
            paths[id(old)][0]: new
            for old, new in builder.copies
            if isinstance(old, keras.Model) and old is not new and id(old) in paths
        }
        frozen = [
            path
            for old, new in builder.copies
            if any(new is one for one in copied.values())
            and _is_frozen(old)
            and on_demand is not True
            for path in paths[id(old)][:1]
        ]
        if frozen:
            names = ", ".join(map(repr, frozen))
            warn(
                f"The nested model {names} had to be copied, as something in it changes, and has "
                "frozen layers. To unfreeze them set `trainable` on the copy, "
                f"`kerasopt.graph.Rewrite.of(model).copied[{frozen[0]!r}]`; the old object belongs "
                "to the old model alone."
            )
        nodes = {id(node.layer): node.path for node in self.nodes}
        return Rewrite(
            inserted=tuple(nodes[key] for key in self._added if key in nodes),
            removed=self._snapshot.removed(),
            changed=tuple(
                dict.fromkeys(
                    node.path
                    for node in self.nodes
                    if id(node.layer) in self._replaced or id(node.layer) in self._resized
                )
            ),
            copied=copied,
            kept=kept,
            as_functional=builder.as_functional,
        )

    def _refuse_output(self, port: Port, verb: str) -> None:
        if leaves(port, self._top):
            raise bad_value(
                "node",
                "a call inside the model",
                port.node,
                f"Cannot {verb} {port.node.path!r}: it gives an output of the model, whose name "
                "would change, and with it what losses, metrics and a converted file call it.",
            )

    def _check_node(self, node: Any) -> None:
        if not isinstance(node, Node):
            raise bad_type("node", "a node of this graph", node)
        if not any(one is node for one in self.nodes):
            raise bad_value("node", "a node of this graph", node)

    def _check_new(self, layer: Any, level: Level, instead_of: Any = None) -> None:
        if not isinstance(layer, keras.layers.Layer):
            raise bad_type("layer", "a Keras layer", layer)
        inside = [part for _, part in selection.walk(layer)]
        own = [part for part in inside if not isinstance(part, keras.layers.InputLayer)]
        if any(id(part) in self._original for part in (layer, *own)):
            raise bad_value(
                "layer",
                "a new layer",
                layer,
                "This one, or a layer in it, belongs to the model, and would share its weights "
                "with the new model.",
            )
        taken = any(
            one.layer.name == layer.name and one.layer is not layer and one.layer is not instead_of
            for one in level.nodes
        )
        if taken:
            raise bad_value(
                "layer",
                "a layer with a name of its own",
                layer.name,
                "The model has a layer of this name; `graph.unique_name(name)` gives a free one.",
            )


def _is_frozen(model: Any) -> bool:
    layers = (model, *(layer for _, layer in selection.walk(model)))
    return any(layer.weights and not layer.trainable for layer in layers)
