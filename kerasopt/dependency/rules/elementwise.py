"""Layers and operations that treat each channel by itself and change no shape."""

from typing import Any

import keras

from kerasopt import _keras
from kerasopt.dependency.rules.layer_rule import Step, operation, rule
from kerasopt.dependency.tensor_channels import Signal

_NAMES = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh",
    "tanh_shrink", "threshold",
)  # fmt: skip
_FUNCTIONS = [getattr(keras.activations, name) for name in _NAMES]
_layers = keras.layers
_ELEMENTWISE = (
    _layers.ReLU, _layers.LeakyReLU, _layers.ELU, _layers.Identity, _layers.ActivityRegularization,
    _layers.Dropout, _layers.AlphaDropout, _layers.GaussianDropout, _layers.GaussianNoise,
    _layers.SpatialDropout1D, _layers.SpatialDropout2D, _layers.SpatialDropout3D,
)  # fmt: skip


def is_elementwise(activation: Any) -> bool:
    """Tell whether an activation, a function or a layer, treats each number by itself."""
    if isinstance(activation, keras.layers.Activation):
        return is_elementwise(activation.activation)
    if isinstance(activation, keras.layers.Layer):
        return isinstance(activation, _ELEMENTWISE)
    return activation is None or any(activation is one for one in _FUNCTIONS)


def keep(step: Step) -> list[Signal]:
    """Give each tensor the channels of the first that is given."""
    return [one.like(dict(step.given[0].labels)) for one in step.made]


rule(*_ELEMENTWISE)(keep)


@rule(keras.layers.Activation)
def activation(step: Step) -> list[Signal]:
    """Pass channels, unless the function mixes them as a softmax does."""
    if not is_elementwise(step.layer.activation):
        return step.freeze(f"the activation {name_of(step.layer.activation)} may mix channels")
    return keep(step)


def name_of(function: Any) -> str:
    """Name an activation."""
    return repr(getattr(function, "__name__", type(function).__name__))


@rule(keras.layers.Softmax)
def softmax(step: Step) -> list[Signal]:
    """Pass channels that a softmax is not over."""
    axes = step.layer.axis
    return _over(step, axes if isinstance(axes, (list, tuple)) else [axes])


@operation("Softmax", "LogSoftmax")
def softmax_operation(step: Step) -> list[Signal]:
    """Pass channels that a softmax is not over."""
    axis = getattr(step.layer, "axis", None)
    return _over(step, range(step.given[0].rank) if axis is None else [axis])


def _over(step: Step, axes: Any) -> list[Signal]:
    signal = step.given[0]
    if any(signal.at(axis) is not None for axis in axes):
        return step.freeze(f"{step.layer.name!r} is over all channels")
    return keep(step)


@rule(keras.layers.Rescaling)
def rescaling(step: Step) -> list[Signal]:
    """Pass channels that all get the same factor."""
    for number in (step.layer.scale, step.layer.offset):
        if getattr(number, "ndim", 0) or isinstance(number, (list, tuple)):
            return step.freeze(f"{step.layer.name!r} has a constant for each channel")
    return keep(step)


_UNARY = (
    *(name for name in _keras.ACTIVATIONS if name != "Softmax"),
    "Abs", "Absolute", "Cast", "Ceil", "Cos", "Erf", "Exp", "Expm1", "Floor", "Identity", "Log",
    "Log1p", "Mish", "Negative", "Reciprocal", "Round", "Rsqrt", "Sign", "Sin", "Sqrt", "Square",
    "StopGradient",
)  # fmt: skip
operation(*_UNARY)(keep)
