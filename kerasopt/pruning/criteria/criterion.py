"""The contract of a criterion: how important each weight is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.serialization import Configured


class View(Protocol):
    """Another view of a kernel."""

    @property
    def outputs(self) -> tuple[int, ...]:
        """Its axes that tell one output from the other."""

    def view(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Give an array of the kernel's shape in it."""


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
        outputs: The axes of the weights that together tell one output of the layer from the other.
        draw: Integer >= 0 that differs from update to update where chance shall.
        grouped: Whether several weights go together, so that their scores will be averaged.
    """

    name: str = "weights"
    gradient: NDArray[Any] | None = None
    gradient_magnitude: NDArray[Any] | None = None
    input_norm: NDArray[Any] | None = None
    moved: NDArray[Any] | None = None
    outputs: tuple[int, ...] = (-1,)
    draw: int = 0
    grouped: bool = False

    def viewed(self, layout: View, shape: tuple[int, ...]) -> "Context":
        """Give the same for another view of the kernel, whose shape is `shape`."""
        changed: dict[str, Any] = {
            name: layout.view(np.broadcast_to(value, shape))
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, outputs=layout.outputs, **changed)


class Criterion(Configured, ABC):
    """Base of all criteria: weights -> scores of the same shape; higher stays.

    Derive from it and write `scores`, and name in `needs` the fields of `Context` that it reads.
    """

    needs: tuple[str, ...] = ()

    @abstractmethod
    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the score of each weight.

        Args:
            weights: Array of any shape, of finite floats.
            context: What is known beside.
        """
