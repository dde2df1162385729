"""The contract of a criterion: how important each weight is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Context:
    """What a criterion may know beside the weights of one kernel.

    Attributes:
        name: Path of the kernel, for errors.
        gradient: Mean gradient of the loss over the batches, of the kernel's shape, or `None`.
        gradient_magnitude: Mean absolute gradient over the batches, likewise.
        input_norm: L2 norm over the samples of what each input of the kernel gets, of a shape that
            broadcasts to the kernel's, or `None`.
        moved: Sum of -w * gradient over the training so far, of the kernel's shape, or `None`.
        draw: Integer >= 0 that differs from update to update where chance shall.
        grouped: Whether several weights go together, so that their scores will be averaged.
    """

    name: str = "weights"
    gradient: NDArray[Any] | None = None
    gradient_magnitude: NDArray[Any] | None = None
    input_norm: NDArray[Any] | None = None
    moved: NDArray[Any] | None = None
    draw: int = 0
    grouped: bool = False

    def viewed(
        self, view: Callable[[NDArray[Any]], NDArray[Any]], shape: tuple[int, ...]
    ) -> "Context":
        """Give the same for another view of the kernel, whose shape is `shape`."""
        changed: dict[str, Any] = {
            name: view(np.broadcast_to(value, shape))
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, **changed)


class Criterion(ABC):
    """Base of all criteria: weights -> scores of the same shape; higher stays.

    Derive from it and write `scores`, and name in `needs` the fields of `Context` that it reads.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the score of each weight.

        Args:
            weights: Array of any shape, of finite floats.
            context: What is known beside.
        """

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal criterion, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a criterion from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and repr(other) == repr(self)

    def __hash__(self) -> int:
        return hash(repr(self))
