"""From levels of nodes back to a Keras model."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import warn
from kerasopt.graph.compilation import compile_like
from kerasopt.graph.copies import fresh
from kerasopt.graph.node import Level, Node, Port
from kerasopt.graph.own import can_hold_another, carry_own, construct, lost_methods
from kerasopt.graph.rewrite import Copied, Flags, is_touched, models_inside, wanted
from kerasopt.graph.shared_state import held_in_common, outermost, owners
from kerasopt.graph.state import carry_flags, carry_over
from kerasopt.selection import own_variables, walk

Transfer = Callable[[Any, Any], None]
Change = Callable[[dict[str, Any]], None]
Part = Callable[[Any], Any]


class Builder:
    """Builds every layer of a graph once, however often and at however many levels it is called.

    Args:
        added: Ids of layers that are new in the graph: used as they are, not copied.
        replaced: Id of an old layer -> the layer in its place, and what carries its weights over.
        resized: Id of an old layer -> what changes its config, and what gives the part of its
            weights that stays. Defaults to none.
        changed: The levels that are built anew. All other models stay the same object.
        copied: Whether a model that is no level is copied though nothing in it changes.
    """

    def __init__(
        self,
        added: set[int],
        replaced: dict[int, tuple[Any, Transfer]],
        resized: dict[int, tuple[Change, Part]],
        changed: list[Level],
        copied: Copied = False,
    ):
        self._added = added
        self._replaced = replaced
        self._resized = resized
        self._changed = {id(level) for level in changed}
        self._touched = {*added, *replaced, *resized, *(id(level.model) for level in changed)}
        self._copied = copied
        self._kept: dict[int, Any] = {}
        self._plain: list[tuple[Level, str]] = []
        self._layers: list[tuple[Any, Any]] = []
        self._models: list[tuple[Any, Any]] = []
        self._copies: dict[int, Any] = {}
        self._called: dict[int, Node] = {}
        self._common: set[int] = set()

    @property
    def copies(self) -> list[tuple[Any, Any]]:
        """Pairs of an old layer and the one in its place, models included."""
        return [*self._layers, *self._models, *((one, one) for one in self._kept.values())]

    @property
    def kept(self) -> list[Any]:
        """The models that are the same objects as before."""
        return list(self._kept.values())

    @property
    def as_functional(self) -> dict[str, str]:
        """Path of each model that is not of its own class now -> the name of that class."""
        return {level.prefix.rstrip("/"): type(level.model).__name__ for level, _ in self._plain}

    def build(self, level: Level) -> Any:
        """Build the model of `level`, with all the state of the old one, compiled as it was.

        It is under the same distribution strategy.
        """
        with _keras.scope(level.model):
            return self._build(level)

    def _build(self, level: Level) -> Any:
        self._called = owners(level)
        self._common = held_in_common(self._called)
        for node in self._called.values():
            self._keep(node)
        flags = Flags(self.kept)
        model = self._model(level)
        for old, new in self._layers:
            if id(old) not in self._replaced:
                carry_over(old, new, part=self._resized.get(id(old), (None, None))[1])
        for old, new in self._models:
            if type(new) is type(old) and not _keras.is_plain(old):
                carry_own(old, new, self._copies)
        # Freezing a model freezes what is inside it, so the outermost model goes first.
        for old, new in reversed(self._models):
            if new.trainable != old.trainable:
                new.trainable = old.trainable
        for old, new in self._layers:
            if id(old) not in self._replaced:
                carry_flags(old, new)
        # Last: a replaced layer may be inside another one too, which has carried the old weights;
        # and it may be frozen otherwise than the model around it.
        for old, new in self._layers:
            if id(old) in self._replaced:
                self._replaced[id(old)][1](old, new)
        flags.restore()
        compile_like(level.model, model)
        self._tell_plain()
        return model

    def _keep(self, node: Node) -> None:
        """Let the models in which nothing changes stay, and all that is in them."""
        layer = node.layer
        if not isinstance(layer, keras.layers.Layer) or id(layer) in self._touched:
            return
        if node.inner is not None:
            models = [] if id(node.inner) in self._changed else [layer]
        else:
            models = [layer] if isinstance(layer, keras.Model) else list(models_inside(layer))
        for model in models:
            if is_touched(model, self._touched) or wanted(self._copied, model):
                continue
            self._kept[id(model)] = model
            self._copies.update((id(one), one) for one in (model, *(p for _, p in walk(model))))

    def _tell_plain(self) -> None:
        if not self._plain:
            return
        told = []
        for level, _ in self._plain:
            name = f"{level.model.name!r} (a {type(level.model).__name__!r})"
            methods = [] if level.callers else lost_methods(level.model)
            lost = [f"`{one}`" for one in methods]
            lost += [f"weight {one.name!r}" for one in own_variables(level.model)]
            if lost:
                name += f" without its own {', '.join(lost)}"
            told.append(name)
        warn(
            "The rewritten model has a plain Functional or Sequential model, with the same layers "
            f"and weights, in the place of {'; '.join(told)}: the constructor of such a class "
            "makes its graph itself, so that it cannot hold another one."
        )

    def _model(self, level: Level) -> Any:
        model = self._chain(level) if level.is_chain else self._functional(level)
        self._copies[id(level.model)] = model
        self._models.append((level.model, model))
        return model

    def _chain(self, level: Level) -> Any:
        return self._construct(level, layers=[self._operation(node) for node in level.nodes])

    def _construct(self, level: Level, **parts: Any) -> Any:
        model, why = construct(level.model, **parts)
        if why:
            self._plain.append((level, why))
        return model

    def _functional(self, level: Level) -> Any:
        tensors: dict[int, Any] = {}

        def fill(value: Any) -> Any:
            if isinstance(value, Port):
                return tensors[id(value)]
            return self._weight(value) if isinstance(value, keras.Variable) else value

        for node in level.nodes:
            operation = self._operation(node)
            if node.is_input:
                made = [operation.output]
            else:
                args = keras.tree.map_structure(fill, node.args)
                kwargs = keras.tree.map_structure(fill, self._accepted(node, operation))
                made = keras.tree.flatten(operation(*args, **kwargs))
            tensors.update(zip(map(id, node.outputs), made, strict=True))
        inputs = keras.tree.map_structure(fill, level.inputs)
        outputs = keras.tree.map_structure(fill, level.outputs)
        return self._construct(level, inputs=inputs, outputs=outputs)

    def _operation(self, node: Node) -> Any:
        old = node.layer
        if id(old) in self._added:
            return old
        if id(old) not in self._copies:
            if id(old) in self._replaced:
                new = self._replaced[id(old)][0]
            elif node.inner is not None:
                return self._model(node.inner)
            else:
                new = self._fresh(old)
            self._copies[id(old)] = new
            if isinstance(old, keras.layers.Layer):
                self._layers.append((old, new))
        return self._copies[id(old)]

    def check(self, level: Level) -> None:
        """Make sure that each layer that `build` copies can be copied, without calling one.

        Raises:
            ValueError: Naming the first that cannot.
        """
        self._called = owners(level)
        self._common = held_in_common(self._called)
        for node in self._called.values():
            self._keep(node)
        for one in (level, *(node.inner for node in self._called.values())):
            if one is not None and id(one) in self._changed:
                can_hold_another(one.model)
        for node in self._called.values():
            old = node.layer
            is_copied = id(node.level) in self._changed and id(old) not in self._kept
            if is_copied and node.inner is None and id(old) not in {*self._added, *self._replaced}:
                self._fresh(old, part=lambda same: same)

    def _fresh(self, old: Any, part: Callable[[Any], Any] | None = None) -> Any:
        part = part or self._part
        change = self._resized.get(id(old), (None, None))[0]
        if not isinstance(old, keras.layers.Layer):
            return fresh(old, change=change)
        kept = [one for one in models_inside(old) if id(one) in self._kept]
        if kept:
            inside = {id(part) for one in kept for part in (one, *(p for _, p in walk(one)))}
            parts = [one for one in outermost(old, self._common) if id(one) not in inside]
            shared = [*((one, one) for one in kept), *((one, part(one)) for one in parts)]
            try:
                return fresh(old, shared, change)
            except ValueError:
                # A class that makes the model itself: it cannot be given one.
                for one in kept:
                    self._forget(one)
        shared = [(one, part(one)) for one in outermost(old, self._common)]
        return fresh(old, shared, change)

    def _forget(self, model: Any) -> None:
        del self._kept[id(model)]
        for one in (model, *(part for _, part in walk(model))):
            self._copies.pop(id(one), None)

    def _part(self, old: Any) -> Any:
        if id(old) in self._called:
            return self._operation(self._called[id(old)])
        if id(old) not in self._copies:
            self._copies[id(old)] = self._fresh(old)
        return self._copies[id(old)]

    def _accepted(self, node: Node, operation: Any) -> dict[str, Any]:
        """Give the keyword arguments of a call without a mask that a replacement cannot take."""
        if id(node.layer) in self._replaced and "mask" in node.kwargs:
            parameters = inspect.signature(operation.call).parameters
            if "mask" not in parameters:
                return {name: value for name, value in node.kwargs.items() if name != "mask"}
        return dict(node.kwargs)

    def _weight(self, variable: Any) -> Any:
        """Give the new layer's weight for an old one that an operation takes as an argument."""
        for node in self._called.values():
            layer = node.layer
            if node.inner is not None or not isinstance(layer, keras.layers.Layer):
                continue
            for index, weight in enumerate(layer.weights):
                if weight is variable:
                    new = self._operation(node)
                    if not new.built:
                        new.build_from_config(layer.get_build_config())
                    return _fitting(layer, new, index)
        return variable


def _fitting(old: Any, new: Any, index: int) -> Any:
    shapes = [[tuple(v.shape) for v in layer.weights] for layer in (old, new)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"Layer {old.name!r} cannot be replaced by one with other weights: its "
            f"{old.weights[index].name!r} is also an argument of an operation in the model, which "
            "needs it as it was."
        )
    return new.weights[index]
