"""The contract of a scope: how kernels share a sparsity."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt._core.serialization import Configured

# So that the number which the error names is accepted: 0.6667 for two of three.
_ROUNDED = 5e-5


def number_kept(size: int, sparsity: float) -> int:
    """Give how many of `size` units stay at a sparsity: rounded half to even, at least one.

    Example:
    >>> [number_kept(100, s) for s in (0.0, 0.1, 0.505, 0.9999)], number_kept(0, 0.5)
    ([100, 90, 50, 1], 0)
    """
    return min(size, max(round(size * (1.0 - sparsity)), 1))


@dataclass(frozen=True)
class Kernel:
    """What a scope knows of one kernel.

    Attributes:
        name: Its path.
        shape: Its shape.
        scores: One score a unit, of any shape.
        sizes: How many weights a unit has: one number, or an array like `scores`.
        candidates: Which units may go, or `None` for all.
        highest: The highest sparsity that its pattern can express.
    """

    name: str
    shape: tuple[int, ...]
    scores: NDArray[Any]
    sizes: NDArray[np.int64] | int = 1
    candidates: NDArray[np.bool_] | None = None
    highest: float = 1.0

    @property
    def units(self) -> int:
        """The number of units."""
        return int(self.scores.size)

    @property
    def stay(self) -> int:
        """The number of units that must stay."""
        if self.candidates is None:
            return min(1, self.units)
        return self.units - int(np.count_nonzero(self.candidates))

    def kept_at(self, sparsity: float) -> int:
        """Give how many units stay at a sparsity: rounded half to even, at least those that must.

        Raises:
            ValueError: If the pattern cannot express it.
        """
        check_expressible([self], sparsity)
        return max(number_kept(self.units, sparsity), self.stay)


def check_expressible(kernels: Sequence[Kernel], sparsity: float) -> None:
    """Raise a `ValueError` if the patterns of kernels cannot express a sparsity of all of them."""
    total = sum(math.prod(kernel.shape) for kernel in kernels)
    least = sum(math.prod(kernel.shape) * (1.0 - kernel.highest) for kernel in kernels)
    if sparsity > 1.0 - least / max(total, 1) + _ROUNDED:
        limited = [repr(kernel.name) for kernel in kernels if kernel.highest < 1.0]
        raise bad_value(
            "sparsity",
            f"at most {1.0 - least / max(total, 1):.4g}, which is what the pattern can express for "
            f"{', '.join(limited)}",
            sparsity,
            "Let the schedule end there, or take another pattern.",
        )


class Scope(Configured, ABC):
    """Base of all scopes. Derive from it and write `allocate`."""

    together: ClassVar[bool] = True
    """Whether it wants all kernels at once; else they are scored and masked one after the other."""

    @abstractmethod
    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give how many units of each kernel stay.

        Args:
            kernels: The kernels, in the model's order.
            sparsity: Float in [0, 1), the sparsity now.
            share: Float in [0, 1]: how much of its way to the last value a schedule has done.

        Raises:
            ValueError: If a pattern cannot express it.
        """

    def check(self, names: Sequence[str]) -> None:
        """Check before training that it fits the kernels of these paths; here any do.

        Raises:
            ValueError: If it does not.
        """

    def names(self, path: str) -> bool:
        """Tell whether the user has named the kernel of this path; here none is."""
        del path
        return False

    def asks(self, sparsity: float) -> float:
        """Give the most that it may ask of a kernel whose pattern has a limit."""
        return sparsity
