"""How the axes of a layer's kernel are to be read: which are inputs, which are channels."""

import re
from dataclasses import dataclass
from typing import Any

import keras
from numpy.typing import NDArray

from kerasopt.pruning.patterns import Channel, Pattern

_DEPTHWISE = (
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@dataclass(frozen=True)
class Layout:
    """The reading of one kernel.

    Attributes:
        inputs: How many of its first axes are inputs where these are to be counted as one, as in
            the kernels of attention; `None` where the last axis alone is outputs.
        channels: The axis of its output channels.
    """

    inputs: int | None = None
    channels: int = -1

    def view(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Give the kernel as (inputs, outputs) where it has several axes of outputs."""
        if self.inputs is None:
            return weights
        rows = 1
        for length in weights.shape[: self.inputs]:
            rows *= length
        return weights.reshape(rows, -1)

    def pattern(self, pattern: Pattern) -> Pattern:
        """Give a pattern for this kernel: channels lie where its layer has them."""
        if isinstance(pattern, Channel) and pattern.axis == -1 and self.channels != -1:
            return Channel(self.channels)
        return pattern


def layout_of(layer: Any, variable: Any) -> Layout:
    """Read the kernel of a layer.

    Example:
    >>> attention = keras.layers.MultiHeadAttention(2, 4)
    >>> attention.build((1, 5, 8), (1, 5, 8))
    >>> layout_of(attention.query_dense, attention.query_dense.kernel)
    Layout(inputs=1, channels=-1)
    """
    if isinstance(layer, _DEPTHWISE) and "pointwise" not in variable.name:
        return Layout(channels=-2)
    if isinstance(layer, _TRANSPOSED):  # (spatial, out, in)
        return Layout(channels=-2)
    if isinstance(layer, keras.layers.EinsumDense):
        match = re.fullmatch(r"[.\w]*,(\w+)->([.\w]*)", layer.equation)
        if match and len(match[1]) == len(variable.shape):
            contracted = [letter not in match[2] for letter in match[1]]
            inputs = sum(contracted)
            if contracted == sorted(contracted, reverse=True) and inputs:
                return Layout(inputs=inputs)
            if False in contracted:
                return Layout(channels=-1 - contracted[::-1].index(False))
    return Layout()
