"""What a rewrite changes: which of the nested models, and what the user is told of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value
from kerasopt.graph.node import Level
from kerasopt.selection import walk

Copied = bool | Callable[[Any], bool]
_ATTRIBUTE = "_kerasopt_rewrite"


@dataclass(frozen=True)
class Rewrite:
    """What one rewrite did to a model; `Rewrite.of(model)` gives that of a rewritten model.

    Attributes:
        inserted: Paths of the layers that were put in.
        removed: Paths of the layers that were taken out.
        changed: Paths of the layers that were replaced, or have other sizes or settings now.
        copied: Path of each nested model that had to be copied, as something in it changes -> the
            copy, which the new model calls.
        kept: Path of each nested model in which nothing changes -> that model: the same object, and
            so the same weights, in the old model and in the new one.
        as_functional: Path of each model (`""` for the whole) whose class cannot hold another
            graph -> the name of that class. In its place is a plain Functional or Sequential model.

    Example:
    >>> import keras
    >>> from kerasopt.graph import Rewrite
    >>> from kerasopt.regularization import insert_dropout
    >>> base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)], name="base")
    >>> base.trainable = False
    >>> model = keras.Sequential([keras.Input((4,)), base,
    ...                           keras.layers.Dense(8, name="hidden"), keras.layers.Dense(2)])
    >>> model = insert_dropout(model, 0.3, after="hidden", verbose=1)
    insert_dropout: inserted: hidden_dropout; kept, the same object as before: base
    >>> Rewrite.of(model).kept["base"] is base
    True
    """

    inserted: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    copied: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    as_functional: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Any) -> "Rewrite":
        """Give what the rewrite that made `model` did.

        Args:
            model: What `insert_dropout`, `remove_dropout`, `freeze_dropout`, `fold_batch_norm`,
                `shrink` or `Graph.build` returned.

        Raises:
            ValueError: If it comes from none of these, or was saved and loaded since.
        """
        found = vars(model).get(_ATTRIBUTE)
        if not isinstance(found, cls):
            raise bad_value("model", "a model that a rewrite has returned", model)
        return found

    def attach(self, model: Any) -> None:
        """Let `Rewrite.of(model)` give it."""
        setattr(model, _ATTRIBUTE, self)

    def __str__(self) -> str:
        whole = ", ".join(f"{path or 'the model'} ({n})" for path, n in self.as_functional.items())
        parts = {
            "inserted": ", ".join(self.inserted),
            "removed": ", ".join(self.removed),
            "changed": ", ".join(self.changed),
            "copied, a new object": ", ".join(self.copied),
            "kept, the same object as before": ", ".join(self.kept),
            "no longer of its own class": whole,
        }
        told = [f"{what}: {names}" for what, names in parts.items() if names]
        return "; ".join(told) or "nothing was changed"

    def __repr__(self) -> str:
        return f"<Rewrite: {self}>"


class Snapshot:
    """The calls of a graph as they were read, by which later edits are found.

    Args:
        top: The level of the whole model.
    """

    def __init__(self, top: Level):
        self.levels = list(_levels(top))
        self._calls = {
            id(level): [(node, node.args, node.kwargs) for node in level.nodes]
            for level in self.levels
        }

    def changed(self, edited: set[int], copied: Copied = False) -> list[Level]:
        """Give the levels that are to be built anew: the outermost, and those with an edit inside.

        Args:
            edited: Ids of layers that are put in, replaced or resized.
            copied: Whether a nested model is copied though nothing in it changes: a Boolean, or a
                function of the model. Defaults to `False`.
        """
        touched = set(edited)
        found: list[Level] = []
        while True:
            more = [
                level
                for number, level in enumerate(self.levels)
                if level not in found
                and (number == 0 or self._is_changed(level, touched) or wanted(copied, level.model))
            ]
            if not more:
                return found
            found += more
            touched.update(id(level.model) for level in more)

    def removed(self) -> tuple[str, ...]:
        """Give the paths of the calls that are gone."""
        return tuple(
            dict.fromkeys(
                node.path
                for level in self.levels
                for node, *_ in self._calls[id(level)]
                if not any(node is one for one in level.nodes)
            )
        )

    def _is_changed(self, level: Level, touched: set[int]) -> bool:
        before = self._calls[id(level)]
        if len(before) != len(level.nodes):
            return True
        for (node, args, kwargs), now in zip(before, level.nodes, strict=True):
            # Edits put new structures in the place of the arguments.
            if node is not now or args is not now.args or kwargs is not now.kwargs:
                return True
        return any(is_touched(node.layer, touched) for node in level.nodes)


def _levels(top: Level) -> Iterator[Level]:
    seen = {id(top)}
    yield top
    for node in top.everything():
        if node.inner is not None and id(node.inner) not in seen:
            seen.add(id(node.inner))
            yield node.inner


def wanted(copied: Copied, model: Any) -> bool:
    """Tell whether a nested model is to be copied though nothing in it changes."""
    return copied(model) if callable(copied) else copied


def is_touched(layer: Any, touched: set[int]) -> bool:
    """Tell whether a layer, or one inside it, is among those that change."""
    if id(layer) in touched:
        return True
    if not isinstance(layer, keras.layers.Layer):
        return False
    return any(id(part) in touched for _, part in walk(layer))


def models_inside(layer: Any) -> Iterator[Any]:
    """Give the models that a layer holds, as a `TimeDistributed` may, not looking into these."""
    for part in _keras.sublayers(layer):
        if isinstance(part, keras.Model):
            yield part
        else:
            yield from models_inside(part)


class Flags:
    """Which layers and variables of some models train, to be put back after they were called anew.

    Args:
        models: The models.
    """

    def __init__(self, models: Sequence[Any]):
        layers = [one for model in models for one in (model, *(part for _, part in walk(model)))]
        self._layers = [(layer, layer.trainable) for layer in layers]
        self._variables = [(v, v.trainable) for model in models for v in model.variables]

    def restore(self) -> None:
        """Set them as they were, outermost first."""
        for thing, flag in (*self._layers, *self._variables):
            if thing.trainable != flag:
                thing.trainable = flag
