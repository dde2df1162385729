"""Channels that stay or go together: sets that are joined (union-find)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
"""For each place along an axis of a tensor or weight, the atom that stands there."""


class Atoms:
    """The smallest parts that a model's channels are made of, and which of them are tied.

    An atom is one channel as the layer that makes it made it. Tied atoms are one channel of the
    model: none of them can go alone. A frozen one cannot go.

    Example:
    >>> atoms = Atoms()
    >>> conv, shortcut = atoms.new(3), atoms.new(3)
    >>> atoms.tie(conv, shortcut)  # they are added
    >>> atoms.freeze(conv[:1], "an output of the model")
    >>> atoms.roots(shortcut).tolist(), atoms.reason(shortcut[0])
    ([0, 1, 2], 'an output of the model')
    """

    def __init__(self) -> None:
        self._parents = np.zeros(0, np.int64)
        self._reasons: dict[int, str] = {}

    def new(self, count: int) -> Labels:
        """Make so many atoms."""
        begin = len(self._parents)
        made = np.arange(begin, begin + count)
        self._parents = np.concatenate([self._parents, made])
        return made

    def roots(self, labels: Labels) -> Labels:
        """Give for each atom the one that stands for all that are tied to it."""
        parents = self._parents
        roots = parents[labels]
        while True:
            above = parents[roots]
            if np.array_equal(above, roots):
                return roots
            roots = above

    def tie(self, some: Labels, others: Labels) -> None:
        """Tie each of some atoms to the one at the same place of the others.

        Raises:
            ValueError: If these are not as many.
        """
        if len(some) != len(others):
            raise ValueError(f"{len(some)} channels cannot be tied to {len(others)}.")
        for one, other in _pairs(self.roots(some), self.roots(others)):
            self._join(one, other)

    def _join(self, one: int, other: int) -> None:
        low, high = sorted((self._root(one), self._root(other)))
        if low == high:
            return
        self._parents[high] = low
        reason = self._reasons.pop(high, None)
        if reason is not None:
            self._reasons.setdefault(low, reason)

    def _root(self, atom: int) -> int:
        while self._parents[atom] != atom:
            self._parents[atom] = self._parents[self._parents[atom]]
            atom = int(self._parents[atom])
        return int(atom)

    def freeze(self, labels: Labels, reason: str, rather: bool = False) -> None:
        """Keep atoms for good, and say why; the first reason stays, but for one said rather."""
        for root in np.unique(self.roots(labels)):
            if rather:
                self._reasons[int(root)] = reason
            self._reasons.setdefault(int(root), reason)

    def reason(self, atom: int) -> str | None:
        """Tell why an atom cannot go; `None` if it can."""
        return self._reasons.get(self._root(int(atom)))

    @property
    def frozen(self) -> Labels:
        """The roots of what is frozen, sorted."""
        return np.array(sorted(self._reasons), np.int64)


def _pairs(some: Labels, others: Labels) -> Iterator[tuple[int, int]]:
    apart = some != others
    for one, other in np.unique(np.stack([some[apart], others[apart]]), axis=1).T:
        yield int(one), int(other)
