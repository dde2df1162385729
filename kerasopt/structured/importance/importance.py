"""How important each channel of a group is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.registry import FunctionRegistry
from kerasopt.dependency.groups import Group

Array = NDArray[Any]


@dataclass(frozen=True)
class Known:
    """What a measure may know of a group beside its weights.

    Attributes:
        change: For each channel the mean over batches of what the loss would change without it, to
            first order and without its sign, or `None`.
        activity: For each channel the mean of |output|, or `None`.
        alive: For each channel the share of outputs above zero, or `None`.
        rng: Where chance comes from.
    """

    change: Array | None = None
    activity: Array | None = None
    alive: Array | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)


Scores = Callable[[Group, Known], Array | None]


def l1(group: Group, known: Known) -> Array:
    """Sum |w| over the weights that make a channel (Li et al., 2017, "Pruning Filters...")."""
    del known
    return np.asarray(sum(np.abs(one).sum(1, dtype=np.float64) for one in group.kernels))


def l2(group: Group, known: Known) -> Array:
    """Take the Euclidean norm of the weights that make a channel."""
    del known
    return np.sqrt(sum(_squares(one) for one in group.kernels))


def group(group: Group, known: Known) -> Array:
    """Take the norm of all weights of a channel, those that take it too (Fang et al., 2023)."""
    del known
    parts = [*group.kernels, *group.matrices("takes")]
    return np.sqrt(sum(_squares(one) for one in parts))


def bn_scale(group: Group, known: Known) -> Array | None:
    """Take |gamma| of batch normalization (Liu et al., 2017, "Network Slimming")."""
    del known
    found = [
        np.abs(rows).mean(1)
        for one, rows in ((s, _rows(s)) for s in group.stands if s.place.role == "scales")
        if one.place.variable.name == "gamma"
    ]
    return np.mean(found, axis=0) if found else None


def taylor(group: Group, known: Known) -> Array | None:
    """Take what the loss would change without a channel (Molchanov et al., 2017)."""
    del group
    return known.change


def activation(group: Group, known: Known) -> Array | None:
    """Take the mean of |output|."""
    del group
    return known.activity


def apoz(group: Group, known: Known) -> Array | None:
    """Take 1 - the average percentage of zeros (Hu et al., 2016, "Network Trimming")."""
    del group
    return known.alive


def geometric_median(group: Group, known: Known) -> Array:
    """Sum the distances to all other channels of the group (He et al., 2019, "FPGM")."""
    del known
    points = np.concatenate([one.astype(np.float64) for one in group.kernels], axis=1)
    squares = (points**2).sum(1)
    apart = squares[:, None] + squares[None] - 2.0 * points @ points.T
    return np.asarray(np.sqrt(np.maximum(apart, 0.0)).sum(1))


def random(group: Group, known: Known) -> Array:
    """Give chance."""
    return known.rng.uniform(0.5, 1.5, len(group))


_FUNCTIONS: dict[str, Scores] = {
    "l1": l1,
    "l2": l2,
    "group": group,
    "bn_scale": bn_scale,
    "taylor": taylor,
    "activation": activation,
    "apoz": apoz,
    "geometric_median": geometric_median,
    "random": random,
}
IMPORTANCES: FunctionRegistry[Scores] = FunctionRegistry(
    "importance", _FUNCTIONS, "a function of a group"
)
NEEDS_DATA = ("taylor", "activation", "apoz")


def _squares(rows: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))


def _rows(stand: Any) -> Array:
    from kerasopt.dependency.groups import rows

    return rows(stand)


def dead(group: Group) -> NDArray[np.bool_]:
    """Tell which channels of a group are zero for everyone.

    That is so where all that takes a channel has zeros for it: whatever it is, it changes nothing.
    Zeros in what makes it are not enough: a sigmoid, or an offset, turns them into something.
    """
    untaken = _zero(group.matrices("takes"), len(group))
    return untaken if _has(group, "takes") else np.zeros(len(group), bool)


def half_dead(groups: Sequence[Group]) -> list[str]:
    """Name the groups with channels whose kernels are zero, but which are still taken."""
    names = []
    for group in groups:
        unmade = _zero(group.kernels, len(group))
        if (unmade & ~dead(group)).any():
            names.append(group.name)
    return names


def _has(group: Group, role: str) -> bool:
    return any(one.place.role == role for one in group.stands)


def _zero(parts: Sequence[NDArray[np.float64]], count: int) -> NDArray[np.bool_]:
    found = np.ones(count, bool)
    for rows in parts:
        found &= ~rows.any(axis=1)
    return found
