"""Layers that normalize, or have a number for each channel."""

import keras

from kerasopt.dependency.rules.elementwise import keep
from kerasopt.dependency.rules.layer_rule import Step, rule
from kerasopt.dependency.tensor_channels import Signal


@rule(keras.layers.BatchNormalization)
def batch_normalization(step: Step) -> list[Signal]:
    """Follow channels with their scale, offset and statistics."""
    layer, trace, signal = step.layer, step.trace, step.given[0]
    axis = layer.axis % signal.rank
    for other, labels in signal.labels.items():
        if other != axis:
            trace.freeze(labels, f"{layer.name!r} has its statistics over all channels")
    for variable in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance):
        if variable is not None:
            trace.scales(step.owner, variable, 0, signal.at(axis))
    return keep(step)


@rule(keras.layers.GroupNormalization)
def group_normalization(step: Step) -> list[Signal]:
    """Follow channels in whole groups: what is normalized together goes together."""
    layer, trace, signal = step.layer, step.trace, step.given[0]
    axis = layer.axis % signal.rank
    for other, mixed in signal.labels.items():
        if other != axis:
            trace.freeze(mixed, f"{layer.name!r} has its statistics over all channels")
    labels = signal.at(axis)
    for variable in (layer.gamma, layer.beta):
        if variable is not None:
            trace.scales(step.owner, variable, 0, labels)
    if labels is None:
        step.counts("groups", None)
        return keep(step)
    groups = labels.reshape(len(labels) if layer.groups == -1 else layer.groups, -1)
    if len(groups) == 1:
        trace.freeze(labels, f"{layer.name!r} has its statistics over all channels")
    for group in groups:
        for one in group[1:]:
            trace.atoms.tie(group[:1], one[None])
    if layer.groups != -1:
        step.counts("groups", groups[:, 0])
    return keep(step)


@rule(
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
)
def layer_normalization(step: Step) -> list[Signal]:
    """Keep channels that have statistics in common; those of other axes pass."""
    layer, signal = step.layer, step.given[0]
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    for axis in axes:
        labels = signal.at(axis)
        if labels is not None:
            step.trace.freeze(labels, f"{layer.name!r} has its statistics over all channels")
    return keep(step)


@rule(keras.layers.PReLU)
def prelu(step: Step) -> list[Signal]:
    """Follow channels with their slopes."""
    layer, signal = step.layer, step.given[0]
    for place, size in enumerate(layer.alpha.shape):
        if size > 1:
            step.trace.scales(step.owner, layer.alpha, place, signal.at(place + 1))
        elif signal.at(place + 1) is not None and signal.shape[place + 1] == 1:
            step.trace.freeze(signal.labels[place + 1], f"{layer.name!r} has one slope")
    return keep(step)
