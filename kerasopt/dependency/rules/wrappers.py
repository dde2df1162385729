"""Layers around layers: TimeDistributed, Bidirectional."""

from typing import TYPE_CHECKING

import keras
import numpy as np

from kerasopt.dependency.rules.layer_rule import Step, apply, rule, rule_of
from kerasopt.dependency.rules.recurrent import units_of
from kerasopt.dependency.tensor_channels import Signal

if TYPE_CHECKING:
    from kerasopt.dependency.union_find import Labels


@rule(keras.layers.TimeDistributed)
def time_distributed(step: Step) -> list[Signal]:
    """Follow the layer inside as if there were no time."""
    given = [_without_time(step, signal) for signal in step.given]
    made = [_cut(signal) for signal in step.made]
    key = (*step.key, "layer", "config")
    calls = step.trace.calls[-1]
    before = len(calls.works)
    inner = Step(step.trace, step.layer.layer, step.owner, given, made, key)
    found = apply(inner)
    for work in calls.works[before:]:
        work.times.append(step.given[0].shape[1] or 1)
    return [
        one.like({axis + 1: labels for axis, labels in signal.labels.items()})
        for one, signal in zip(step.made, found, strict=True)
    ]


def _without_time(step: Step, signal: Signal) -> Signal:
    labels = {}
    for axis, one in signal.labels.items():
        if axis < 2:
            step.trace.freeze(one, f"{step.layer.name!r} goes along it")
        else:
            labels[axis - 1] = one
    cut = _cut(signal)
    return cut.like(labels)


def _cut(signal: Signal) -> Signal:
    return Signal((signal.shape[0], *signal.shape[2:]), signal.dtype)


@rule(keras.layers.Bidirectional)
def bidirectional(step: Step) -> list[Signal]:
    """Follow both directions; the same unit of each goes together."""
    layer, trace = step.layer, step.trace
    if len(step.given) > 1 or layer.return_state:
        return step.freeze(f"{layer.name!r} has states that are given or taken")
    if rule_of(layer.forward_layer) is None or rule_of(layer.backward_layer) is None:
        return step.freeze(f"{layer.name!r} is around a layer that is not followed")
    labels: list[Labels] = []
    axes: list[int] = []
    own = "backward_layer" in layer.get_config()
    for one, name in ((layer.forward_layer, "layer"), (layer.backward_layer, "backward_layer")):
        single = [signal.like({}) for signal in step.made[:1]]
        # One config makes both directions, unless the second has one of its own.
        key = (*step.key, name if own else "layer", "config")
        inner = Step(trace, one, step.owner, step.given, single, key)
        (axis, _), = apply(inner)[0].labels.items()  # fmt: skip
        labels.append(units_of(inner))
        axes.append(axis)
    trace.atoms.tie(*labels)
    if layer.merge_mode == "concat" and axes[0] != step.made[0].rank - 1:
        # Keras joins them along the last axis, whatever the axis of the channels is.
        trace.freeze(labels[0], f"{layer.name!r} joins both directions along another axis")
        return [one.like({}) for one in step.made]
    if layer.merge_mode == "concat":
        return [step.made[0].like({axes[0]: np.concatenate(labels)})]
    return [
        one.like({axis: found}) for one, axis, found in zip(step.made, axes, labels, strict=False)
    ]
