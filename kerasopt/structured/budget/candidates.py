"""The groups of a model that may lose channels, as the user wants it."""

from dataclasses import dataclass
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group, groups_of, left_out
from kerasopt.dependency.rules.layer_rule import is_altered
from kerasopt.dependency.tensor_channels import Place
from kerasopt.graph import Graph
from kerasopt.selection import walk
from kerasopt.structured.budget.request import chosen

FROZEN = "frozen: "


@dataclass
class Candidates:
    """What may go from a model.

    Attributes:
        trace: What is known of its channels.
        groups: The groups that may lose some.
        left_out: Layer -> why none of its channels can go.
        whole: How many channels could go if the user and frozen weights let them.
    """

    trace: Trace
    groups: list[Group]
    left_out: dict[str, str]
    whole: int


def candidates(model: Any, include: Any = None, exclude: Any = None) -> Candidates:
    """Find the groups of a model that may lose channels.

    Raises:
        TypeError: If `model` is no Keras 3 model, or a pick is of the wrong type.
        ValueError: If it has no graph, a pick matches no layer, or no channel can go.
    """
    trace = Trace(Graph.of(model))
    paths = {id(node.layer): node.path for node in reversed(trace.graph.nodes)}
    every = groups_of(trace, paths)
    groups, held = chosen(model, every, include, exclude)
    apart = {**_altered(trace), **left_out(trace, paths), **held}
    if not groups:
        why = "; ".join(f"{name} ({reason})" for name, reason in apart.items())
        raise bad_value(
            "model",
            "a model with channels that can go",
            model,
            f"None can: {why or 'no layer makes channels'}.",
        )
    return Candidates(trace, groups, apart, sum(len(one) * one.grain for one in every))


def _altered(trace: Trace) -> dict[str, str]:
    """Name the layers whose channels are not followed, as they are quantized or have LoRA."""
    return {
        node.path: "is quantized or has LoRA"
        for node in trace.graph.nodes
        if node.inner is None and is_altered(node.layer)
    }


def inner_model(model: Any) -> Any:
    """Give the model that is trained: `model`, or the one with a graph that it is made around."""
    if _keras.has_graph(model):
        return model
    mine = {id(variable) for variable in model.trainable_variables}
    for _, layer in walk(model):
        if isinstance(layer, keras.Model) and _keras.has_graph(layer):
            its = {id(variable) for variable in layer.trainable_variables}
            if its and its >= mine:
                return layer
    return model


def trainable(found: Candidates) -> Candidates:
    """Leave out groups with kernels that do not train: what stays could not make up for them.

    The scales of a frozen normalization hinder nothing: what takes a masked channel has zeros.
    """
    groups = []
    for group in found.groups:
        frozen = [
            one.place.variable.path
            for one in group.stands
            if not one.place.variable.trainable and not is_of_normalization(one.place)
        ]
        if frozen:
            found.left_out.update(dict.fromkeys(group.layers, f"{FROZEN}{frozen[0]}"))
        else:
            groups.append(group)
    if not groups:
        raise bad_value(
            "model", "a model with channels that train", found.trace.graph.model, "All are frozen."
        )
    return Candidates(found.trace, groups, found.left_out, found.whole)


def is_of_normalization(place: Place) -> bool:
    """Tell whether a place is a scale, an offset or a statistic of a normalization layer."""
    return place.role == "scales" and "normalization" in type(place.owner).__name__.lower()
