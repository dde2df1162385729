"""The groups of a model that may lose channels, as the user wants it."""

from dataclasses import dataclass
from typing import Any

from kerasopt._checks import bad_value
from kerasopt.graph import Graph
from kerasopt.pruning.channels.groups import Group, groups_of, left_out
from kerasopt.pruning.channels.picking import chosen
from kerasopt.pruning.channels.trace import Trace


@dataclass
class Candidates:
    """What may go from a model.

    Attributes:
        trace: What is known of its channels.
        groups: The groups that may lose some.
        left_out: Layer -> why none of its channels can go.
    """

    trace: Trace
    groups: list[Group]
    left_out: dict[str, str]


def candidates(model: Any, include: Any = None, exclude: Any = None) -> Candidates:
    """Find the groups of a model that may lose channels.

    Raises:
        TypeError: If `model` is no Keras 3 model, or a pick is of the wrong type.
        ValueError: If it has no graph, a pick matches no layer, or no channel can go.
    """
    trace = Trace(Graph.of(model))
    paths = {id(node.layer): node.path for node in reversed(trace.graph.nodes)}
    groups, held = chosen(model, groups_of(trace, paths), include, exclude)
    apart = {**left_out(trace, paths), **held}
    if not groups:
        why = "; ".join(f"{name} ({reason})" for name, reason in apart.items())
        raise bad_value(
            "model",
            "a model with channels that can go",
            model,
            f"None can: {why or 'no layer makes channels'}.",
        )
    return Candidates(trace, groups, apart)
