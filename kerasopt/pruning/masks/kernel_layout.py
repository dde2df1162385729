"""How the axes of a layer's kernel are to be read: which are inputs, which are outputs."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._layers import DEPTHWISE, SEPARABLE, TRANSPOSED, Equation
from kerasopt.pruning.patterns import Channel, Pattern


@dataclass(frozen=True)
class Layout:
    """The reading of one kernel, whose view has its inputs before its outputs.

    Attributes:
        order: The kernel's axes in the order of the view, as a transposition needs them; `None`
            where they are so already.
        inputs: How many of the view's first axes are inputs where these are to be counted as one,
            as in the kernels of attention; `None` where the last axis alone is outputs.
        channels: The axis of the view's output channels.
        outputs: The axes of the view that together tell one output from the other.
    """

    order: tuple[int, ...] | None = None
    inputs: int | None = None
    channels: int = -1
    outputs: tuple[int, ...] = (-1,)

    def view(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Give the kernel with its inputs first, as (inputs, outputs) where there are several."""
        if self.order is not None:
            weights = np.transpose(weights, self.order)
        if self.inputs is None:
            return weights
        return weights.reshape(math.prod(weights.shape[: self.inputs]), -1)

    def back(self, viewed: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Give what `view` made of a kernel of this shape the kernel's own axes again."""
        if self.order is None:
            return viewed.reshape(shape)
        turned = viewed.reshape([shape[axis] for axis in self.order])
        return np.transpose(turned, np.argsort(self.order))

    def pattern(self, pattern: Pattern) -> Pattern:
        """Give a pattern for the view: channels lie where the layer has them."""
        if not isinstance(pattern, Channel):
            return pattern
        if pattern.axis == -1:
            return pattern if self.channels == -1 else Channel(self.channels)
        if self.order is None or self.inputs is not None:
            return pattern
        return Channel(self.order.index(pattern.axis % len(self.order)))


def layout_of(layer: Any, variable: Any) -> Layout:
    """Read the kernel of a layer.

    Example:
    >>> attention = keras.layers.MultiHeadAttention(2, 4)
    >>> attention.build((1, 5, 8), (1, 5, 8))
    >>> layout_of(attention.query_dense, attention.query_dense.kernel).inputs
    1
    """
    rank = len(variable.shape)
    if isinstance(layer, (*DEPTHWISE, *SEPARABLE)) and "pointwise" not in variable.name:
        return Layout(channels=-2, outputs=(-2, -1))  # (spatial, in, multiplier)
    if isinstance(layer, TRANSPOSED):  # (spatial, out, in)
        return Layout(order=(*range(rank - 2), rank - 1, rank - 2))
    if isinstance(layer, keras.layers.EinsumDense):
        equation = Equation.of(layer.equation)
        if equation is not None and len(equation.kernel) == rank:
            return _of_equation(equation)
    return Layout()


def _of_equation(equation: Equation) -> Layout:
    """Read a kernel's axes: each of its own (apart), summed over (inputs), or outputs."""
    given, kernel, result = equation.given, equation.kernel, equation.result
    apart = [axis for axis, letter in enumerate(kernel) if letter in given and letter in result]
    inputs = [axis for axis, letter in enumerate(kernel) if letter not in result]
    outputs = [axis for axis, letter in enumerate(kernel) if axis not in (*apart, *inputs)]
    order = (*apart, *inputs, *outputs)
    turned = None if order == tuple(range(len(kernel))) else order
    if not inputs or not outputs:
        return Layout()
    if apart:
        last = len(kernel) - len(outputs)
        return Layout(turned, outputs=(*range(len(apart)), *range(last, len(kernel))))
    return Layout(turned, None if len(kernel) == 2 else len(inputs))
