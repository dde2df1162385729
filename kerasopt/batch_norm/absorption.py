"""How a linear layer takes over what a batch normalization does to its output channels."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._layers import CONVOLUTIONS, DEPTHWISE, SEPARABLE, TRANSPOSED, Equation

LINEAR = (
    keras.layers.Dense,
    *CONVOLUTIONS,
    *TRANSPOSED,
    *DEPTHWISE,
    *SEPARABLE,
    keras.layers.EinsumDense,
)


@dataclass(frozen=True)
class Channels:
    """Where a layer holds the channels that lie along one axis of its output.

    Attributes:
        kernel: Name of the layer's attribute that is the kernel.
        axes: The axes of the kernel that count the channels, neighbours where they are several.
        bias_axis: The axis of the bias that counts them, from the end.
        bias_shape: Shape of a bias that differs from channel to channel.
        config: What the layer's config says where it has that bias.
    """

    kernel: str = "kernel"
    axes: tuple[int, ...] = (-1,)
    bias_axis: int = -1
    bias_shape: tuple[int, ...] = (1,)
    config: dict[str, Any] = field(default_factory=lambda: {"use_bias": True})


def channels_of(
    layer: Any, axis: int, shape: tuple[int | None, ...], bias_axes: str | None = None
) -> Channels | None:
    """Tell where a layer's kernel and bias hold the channels along an axis of its output.

    Args:
        layer: A built layer of one of the classes in `LINEAR`.
        axis: The axis of the output, counted from its first or, below 0, from its end.
        shape: The shape of the output, batch first, `None` for what is not known.
        bias_axes: Of an EinsumDense: the axes of its bias, if they are to be others than it has
            itself. Defaults to `None`.

    Returns:
        The place, or `None` where the kernel has no such axis.

    Example:
    >>> layer = keras.layers.DepthwiseConv2D(3, depth_multiplier=2)
    >>> layer.build((None, 8, 8, 5))
    >>> channels_of(layer, -1, (None, 6, 6, 10)).axes
    (-2, -1)
    """
    axis %= len(shape)
    size = shape[axis]
    if size is None:
        return None
    if isinstance(layer, keras.layers.EinsumDense):
        has = bias_axes or layer.bias_axes or ""
        return _of_equation(layer.equation, axis, shape, has)
    first = getattr(layer, "data_format", None) == "channels_first"
    if axis != (1 if first else len(shape) - 1):
        return None
    if isinstance(layer, DEPTHWISE):
        return Channels(axes=(-2, -1), bias_shape=(size,))
    if isinstance(layer, SEPARABLE):
        return Channels(kernel="pointwise_kernel", bias_shape=(size,))
    return Channels(axes=(-2,) if isinstance(layer, TRANSPOSED) else (-1,), bias_shape=(size,))


def _of_equation(
    equation: str, axis: int, shape: tuple[int | None, ...], bias_axes: str
) -> Channels | None:
    read = Equation.of(equation)
    if read is None:
        return None
    kernel, result = read.kernel, read.result
    begin = read.begin(result, len(shape))
    if not 0 <= axis - begin < len(result):
        return None
    letter = result[axis - begin]
    if kernel.count(letter) != 1:
        return None
    if letter not in bias_axes:
        bias_axes += letter
    places = {begin + result.index(one) for one in bias_axes}
    sizes = [shape[at] if at in places else 1 for at in range(min(places), len(shape))]
    if None in sizes:
        return None
    return Channels(
        axes=(kernel.index(letter),),
        bias_axis=axis - len(shape),
        bias_shape=tuple(size or 0 for size in sizes),
        config={"bias_axes": bias_axes},
    )


def fold(
    kernel: ArrayLike,
    bias: ArrayLike | None,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-3,
    channels: Channels | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Fold a batch normalization into the kernel and bias of the linear layer before it.

    kernel' = kernel * gamma / sqrt(variance + epsilon) and
    bias' = (bias - mean) * gamma / sqrt(variance + epsilon) + beta, each by channel (Jacob et al.,
    2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", section 3.2), in float64.

    Args:
        kernel: Array of any shape.
        bias: Array that fits the bias of `channels`, or `None` for none.
        mean: Array of shape (channels,).
        variance: Array of shape (channels,).
        gamma: Array of shape (channels,). Defaults to `None`: ones.
        beta: Array of shape (channels,). Defaults to `None`: zeros.
        epsilon: Float. Defaults to `1e-3`.
        channels: Where kernel and bias hold the channels. Defaults to `None`: along the last axis.

    Returns:
        The new kernel, and the new bias of the shape that `channels` says.

    Example:
    >>> kernel, bias = fold([[1.0, 2.0]], [0.0, 1.0], [0.5, 0.0], [0.0, 3.0], epsilon=1.0)
    >>> kernel.tolist(), bias.tolist()
    ([[1.0, 1.0]], [-0.5, 0.5])
    """
    mean = np.asarray(mean, np.float64)
    if channels is None:
        channels = Channels(bias_shape=mean.shape)
    factor = 1.0 / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    if gamma is not None:
        factor = factor * np.asarray(gamma, np.float64)
    kernel = np.asarray(kernel, np.float64)
    along = _lengths(kernel.shape, channels.axes)
    offset = np.zeros(()) if bias is None else np.asarray(bias, np.float64)
    across = _lengths(channels.bias_shape, (channels.bias_axis,))
    shifted = (offset - mean.reshape(across)) * factor.reshape(across)
    if beta is not None:
        shifted = shifted + np.asarray(beta, np.float64).reshape(across)
    return kernel * factor.reshape(along), np.array(np.broadcast_to(shifted, channels.bias_shape))


def _lengths(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[int]:
    """Give a shape that is 1 but at these axes."""
    kept = {axis % len(shape) for axis in axes}
    return [size if axis in kept else 1 for axis, size in enumerate(shape)]
