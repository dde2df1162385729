"""Convolutions: plain, grouped, transposed, depthwise, separable."""

from typing import Any

import keras
import numpy as np

from kerasopt.dependency.rules.dense import settle
from kerasopt.dependency.rules.layer_rule import Step, channel_axis, only, rule
from kerasopt.dependency.tensor_channels import Signal
from kerasopt.dependency.union_find import Labels

_MIXES = "a convolution goes along it"


@rule(keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
def convolution(step: Step) -> list[Signal]:
    """Follow filters: outputs are new, inputs are the kernel's last but one axis."""
    layer, trace = step.layer, step.trace
    axis = channel_axis(layer, step.given[0].rank)
    given = only(step, axis, _MIXES).at(axis)
    filters = trace.makes(step.owner, layer.kernel, -1)
    if layer.groups > 1:
        _grouped(step, given, filters)
    else:
        trace.takes(step.owner, layer.kernel, -2, given)
    return _made(step, filters, step.made[0], layer.kernel)


def _grouped(step: Step, given: Labels | None, filters: Labels) -> None:
    """Let whole groups go, or the same channels of each, whichever leaves more to choose from."""
    layer, trace = step.layer, step.trace
    outputs = filters.reshape(layer.groups, -1)
    if given is None:
        trace.freeze(filters, f"{layer.name!r} has groups of what cannot lose channels")
        return
    inputs = given.reshape(layer.groups, -1)
    if layer.groups >= inputs.shape[1]:
        for group in range(layer.groups):
            for one in (*inputs[group, 1:], *outputs[group]):
                trace.atoms.tie(inputs[group, :1], one[None])
        step.counts("groups", inputs[:, 0])
        return
    for group in range(1, layer.groups):
        trace.atoms.tie(inputs[0], inputs[group])
        trace.atoms.tie(outputs[0], outputs[group])
    trace.takes(step.owner, layer.kernel, -2, inputs[0], reads=None)


def _made(step: Step, filters: Labels, over: Signal, kernel: Any) -> list[Signal]:
    layer, trace, made = step.layer, step.trace, step.made[0]
    if layer.bias is not None:
        trace.makes(step.owner, layer.bias, 0, filters)
    step.counts("filters", filters)
    axis = channel_axis(layer, made.rank)
    step.works(kernel, over, (0, axis))
    settle(step, filters)
    return [made.like({axis: filters})]


@rule(keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
def transposed(step: Step) -> list[Signal]:
    """Follow filters: the kernel's last two axes are the other way round."""
    layer, trace = step.layer, step.trace
    axis = channel_axis(layer, step.given[0].rank)
    given = only(step, axis, _MIXES).at(axis)
    filters = trace.makes(step.owner, layer.kernel, -2)
    trace.takes(step.owner, layer.kernel, -1, given)
    return _made(step, filters, step.given[0], layer.kernel)


@rule(keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
def depthwise(step: Step) -> list[Signal]:
    """Follow channels that each give `depth_multiplier` new ones."""
    layer, trace, made = step.layer, step.trace, step.made[0]
    axis = channel_axis(layer, made.rank)
    given = only(step, axis, _MIXES).at(axis)
    step.works(layer.kernel, made, (0, axis))
    trace.scales(step.owner, layer.kernel, -2, given)
    if given is None:
        return [made.like({})]
    several = np.repeat(given, layer.depth_multiplier)
    if layer.bias is not None:
        trace.scales(step.owner, layer.bias, 0, several)
    settle(step, several)
    return [made.like({axis: several})]


@rule(keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
def separable(step: Step) -> list[Signal]:
    """Follow channels through the depthwise kernel into the pointwise one."""
    layer, trace, made = step.layer, step.trace, step.made[0]
    axis = channel_axis(layer, made.rank)
    given = only(step, axis, _MIXES).at(axis)
    step.works(layer.depthwise_kernel, made, (0, axis))
    trace.scales(step.owner, layer.depthwise_kernel, -2, given)
    several = None if given is None else np.repeat(given, layer.depth_multiplier)
    trace.takes(step.owner, layer.pointwise_kernel, -2, several, reads=None)
    filters = trace.makes(step.owner, layer.pointwise_kernel, -1)
    return _made(step, filters, made, layer.pointwise_kernel)
