"""Channels of a model that may go, in groups of those that stand at the same places."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.tensor_channels import Place
from kerasopt.dependency.union_find import Labels

Array = NDArray[Any]


@dataclass(eq=False)
class Stand:
    """A place, and where on it the channels of a group stand.

    Attributes:
        place: The axis of a variable.
        at: Integers of shape (channels, several): for each channel its places along the axis.
    """

    place: Place
    at: Labels


@dataclass(eq=False)
class Group:
    """Channels that are alike: one of them is as good a candidate as another.

    Attributes:
        layers: Paths of the layers that make them.
        roots: The root atom of each channel.
        stands: Where they stand.
        grain: How many numbers of the layer's output one of them is; 1, or what goes together.
        is_heads: Whether they are heads of attention.
        owners: The layers of the graph that make them.
        name: Its layers, numbered where several groups are of the same ones.
    """

    layers: list[str]
    roots: Labels
    stands: list[Stand]
    grain: int
    is_heads: bool = False
    owners: list[Any] = field(default_factory=list)
    name: str = ""

    def __len__(self) -> int:
        return len(self.roots)

    def matrices(self, role: str) -> list[Array]:
        """Give what each channel has at all places of a role, a row a channel.

        Args:
            role: `"makes"`, `"takes"` or `"scales"`, as of a `Place`.
        """
        return [rows(one) for one in self.stands if one.place.role == role]

    @cached_property
    def kernels(self) -> list[Array]:
        """The weights that make each channel, a row a channel, without biases."""
        return [
            rows(one)
            for one in self.stands
            if one.place.role == "makes" and len(one.place.variable.shape) > 1
        ]


def rows(stand: Stand, values: Array | None = None) -> Array:
    """Give the part of a variable that belongs to each channel, a row a channel.

    Args:
        stand: Where the channels stand on it.
        values: An array of its shape, in its place. Defaults to `None`: its value.
    """
    from kerasopt._kernels import numbers

    value = numbers(stand.place.variable) if values is None else values
    turned = np.moveaxis(value, stand.place.axis, 0)
    count = len(stand.at)
    return turned[stand.at.reshape(-1)].reshape(count, -1)


def groups_of(trace: Trace, paths: dict[int, str]) -> list[Group]:
    """Find the groups of channels that may go, in the order of the model.

    Args:
        trace: What is known of the model's channels.
        paths: By the id of a layer, what it is called.
    """
    atoms = trace.atoms
    frozen = atoms.frozen
    stands: dict[int, list[tuple[int, Labels]]] = defaultdict(list)
    places = list(trace.places.values())
    for number, place in enumerate(places):
        roots = atoms.roots(place.labels)
        order = np.argsort(roots, kind="stable")
        found, begin = np.unique(roots[order], return_index=True)
        for root, at in zip(found, np.split(order, begin[1:]), strict=True):
            stands[int(root)].append((number, at))
    alike: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    free = set(stands) - set(frozen.tolist())
    # Of each slice of a tensor something must stay, too: those in it are apart from the others.
    slices = [set(atoms.roots(one.labels[one.begin : one.end]).tolist()) for one in trace.slices]
    for root in sorted(free):
        inside = [(-1 - number, 1) for number, one in enumerate(slices) if root in one]
        alike[(*((number, len(at)) for number, at in stands[root]), *inside)].append(root)
    heads = {int(root) for labels in trace.heads for root in atoms.roots(labels)}
    groups = [
        _group(members, [dict(stands[root]) for root in members], places, paths, heads)
        for members in alike.values()
        if any(places[number].role == "makes" for number, _ in stands[members[0]])
    ]
    seen: Counter[str] = Counter()
    for group in groups:
        name = " + ".join(group.layers)
        seen[name] += 1
        group.name = name if seen[name] == 1 else f"{name} #{seen[name]}"
    return groups


def _group(
    members: list[int],
    where: list[dict[int, Labels]],
    places: list[Place],
    paths: dict[int, str],
    heads: set[int],
) -> Group:
    found = [Stand(places[number], np.stack([one[number] for one in where])) for number in where[0]]
    owners = {id(one.place.owner): one.place.owner for one in found if one.place.role == "makes"}
    names = [paths[key] for key in owners]
    grain = max(one.at.shape[1] for one in found if one.place.role == "makes")
    return Group(
        names,
        np.array(members, np.int64),
        found,
        grain,
        members[0] in heads,
        list(owners.values()),
    )


def left_out(trace: Trace, paths: dict[int, str]) -> dict[str, str]:
    """Give the layers none of whose channels can go -> why."""
    free: set[int] = set()
    reasons: dict[int, str] = {}
    for place in trace.places.values():
        if place.role != "makes":
            continue
        found = [trace.atoms.reason(root) for root in np.unique(trace.atoms.roots(place.labels))]
        if None in found:
            free.add(id(place.owner))
        else:
            reasons.setdefault(id(place.owner), str(found[0]))
    return {paths[key]: why for key, why in reasons.items() if key not in free}
