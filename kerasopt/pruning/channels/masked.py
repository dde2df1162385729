"""Channels that contribute nothing already."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.channels.groups import Group


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
