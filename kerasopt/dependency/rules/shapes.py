"""Layers and operations that give a tensor another shape, or work within one channel."""

import math
from typing import Any

import keras
import numpy as np

from kerasopt.dependency.rules.layer_rule import Step, channel_axis, only, operation, rule
from kerasopt.dependency.tensor_channels import Signal, Slice
from kerasopt.dependency.union_find import Labels

_layers = keras.layers


@rule(
    _layers.MaxPooling1D, _layers.MaxPooling2D, _layers.MaxPooling3D,
    _layers.AveragePooling1D, _layers.AveragePooling2D, _layers.AveragePooling3D,
    _layers.UpSampling1D, _layers.UpSampling2D, _layers.UpSampling3D,
    _layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.ZeroPadding3D,
    _layers.Cropping1D, _layers.Cropping2D, _layers.Cropping3D,
    _layers.Resizing, _layers.CenterCrop,
)  # fmt: skip
def within_channels(step: Step) -> list[Signal]:
    """Pass channels; the other axes change."""
    axis = channel_axis(step.layer, step.given[0].rank)
    signal = only(step, axis, f"{step.layer.name!r} changes that axis")
    labels = signal.at(axis)
    return [step.made[0].like({} if labels is None else {axis: labels})]


@rule(
    _layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D, _layers.GlobalMaxPooling3D,
    _layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D, _layers.GlobalAveragePooling3D,
)  # fmt: skip
def global_pooling(step: Step) -> list[Signal]:
    """Pass channels; all other axes go."""
    axis = channel_axis(step.layer, step.given[0].rank)
    labels = only(step, axis, f"{step.layer.name!r} pools over it").at(axis)
    to = axis if step.layer.keepdims else 1
    return [step.made[0].like({} if labels is None else {to: labels})]


@operation("Mean", "Sum", "Max", "Min", "Amax", "Amin")
def reduction(step: Step) -> list[Signal]:
    """Pass the channels of axes that are not reduced."""
    signal, layer = step.given[0], step.layer
    axes = range(signal.rank) if layer.axis is None else layer.axis
    axes = {axis % signal.rank for axis in ([axes] if isinstance(axes, int) else axes)}
    labels = {}
    for axis, one in signal.labels.items():
        if axis in axes:
            step.trace.freeze(one, f"{layer.name!r} is over all channels")
        else:
            gone = 0 if layer.keepdims else sum(other < axis for other in axes)
            labels[axis - gone] = one
    return [step.made[0].like(labels)]


@rule(_layers.Permute)
def permute(step: Step) -> list[Signal]:
    """Move channels to other axes."""
    order = (0, *step.layer.dims)
    signal = step.given[0]
    return [step.made[0].like({order.index(axis): one for axis, one in signal.labels.items()})]


@operation("Transpose")
def transpose(step: Step) -> list[Signal]:
    """Move channels to other axes."""
    signal = step.given[0]
    order = step.layer.axes or tuple(reversed(range(signal.rank)))
    order = [axis % signal.rank for axis in order]
    return [step.made[0].like({order.index(axis): one for axis, one in signal.labels.items()})]


@rule(_layers.RepeatVector)
def repeat_vector(step: Step) -> list[Signal]:
    """Move channels behind the new axis."""
    return [step.made[0].like({axis + 1: one for axis, one in step.given[0].labels.items()})]


@operation("ExpandDims")
def expand_dims(step: Step) -> list[Signal]:
    """Move channels behind a new axis."""
    made = step.made[0]
    new = step.layer.axis
    axes = {one % made.rank for one in ([new] if isinstance(new, int) else new)}
    left = [axis for axis in range(made.rank) if axis not in axes]
    return [made.like({left[axis]: one for axis, one in step.given[0].labels.items()})]


@operation("Squeeze")
def squeeze(step: Step) -> list[Signal]:
    """Move channels to where the axes before them have gone."""
    signal, gone = step.given[0], step.layer.axis
    if gone is None:
        return step.freeze(f"{step.layer.name!r} does not say which axes go")
    axes = {axis % signal.rank for axis in ([gone] if isinstance(gone, int) else gone)}
    labels = {}
    for axis, one in signal.labels.items():
        if axis in axes:
            step.trace.freeze(one, f"{step.layer.name!r} needs that axis to be 1")
        else:
            labels[axis - sum(other < axis for other in axes)] = one
    return [step.made[0].like(labels)]


@rule(_layers.Flatten)
def flatten(step: Step) -> list[Signal]:
    """Follow each number to its place."""
    if getattr(step.layer, "data_format", None) == "channels_first" and step.given[0].rank > 2:
        # Keras moves the channels last first.
        step.given = [_last(step.given[0])]
    return _reshaped(step)


def _last(signal: Signal) -> Signal:
    order = [0, *range(2, signal.rank), 1]
    labels = {order.index(axis): one for axis, one in signal.labels.items()}
    return Signal(tuple(signal.shape[axis] for axis in order), signal.dtype, labels)


@rule(_layers.Reshape)
def reshape(step: Step) -> list[Signal]:
    """Follow each number to its place."""
    made = _reshaped(step)
    for index, size in enumerate(step.layer.target_shape):
        if size != -1:
            step.counts("target_shape", made[0].labels.get(index + 1), index)
    return made


@operation("Reshape")
def reshape_operation(step: Step) -> list[Signal]:
    """Follow each number to its place."""
    made = _reshaped(step)
    shape = step.layer.newshape
    for axis, labels in made[0].labels.items():
        if shape[axis] != -1:
            step.counts("newshape", labels, axis)
    return made


def _reshaped(step: Step) -> list[Signal]:
    """Give the numbers of an axis the channels they have; an axis needs one for each place."""
    signal, made = step.given[0], step.made[0]
    if not signal.labels:
        return [made.like({})]
    if len(signal.labels) > 1:
        return step.freeze(f"{step.layer.name!r} mixes two axes of channels")
    (axis, labels), = signal.labels.items()  # fmt: skip
    if axis == signal.rank - 1 and made.rank > 1 and made.shape[-1] == len(labels):
        return [made.like({made.rank - 1: labels})]
    # In a block of axes whose sizes are known, each place is followed.
    inner, outer = signal.shape[1:], made.shape[1:]
    sizes = [size for size in inner if size is not None]
    whole = [size for size in outer if size is not None]
    if len(sizes) < len(inner) or len(whole) < len(outer) or math.prod(sizes) != math.prod(whole):
        return step.freeze(f"{step.layer.name!r} reshapes a tensor of unknown size")
    wide = [1] * len(sizes)
    wide[axis - 1] = -1
    atoms = np.broadcast_to(labels.reshape(wide), sizes).reshape(whole)
    return [made.like(_by_axis(step, atoms))]


def _by_axis(step: Step, atoms: Labels) -> dict[int, Labels]:
    """Find the last axis along which the atoms change; along the others they are tied."""
    for axis in reversed(range(atoms.ndim)):
        lines = np.moveaxis(atoms, axis, -1).reshape(-1, atoms.shape[axis])
        if atoms.shape[axis] == 1 or not (lines != lines[:, :1]).any():
            continue
        for line in np.unique(lines, axis=0):
            step.trace.atoms.tie(lines[0], line)
        return {axis + 1: np.ascontiguousarray(lines[0])}
    step.trace.freeze(atoms.ravel(), f"{step.layer.name!r} has one channel")
    return {}


@operation("GetItem")
def get_item(step: Step) -> list[Signal]:
    """Follow channels that are cut out by `x[..., begin:end]`."""
    signal, node = step.given[0], step.node
    if not signal.labels:
        return [one.like({}) for one in step.made]
    key = _key(node)
    if key is None or sum(part is not Ellipsis for part in key) > signal.rank:
        return step.freeze(f"{step.layer.name!r} cuts channels in a way that is not followed")
    if Ellipsis in key:
        at = key.index(Ellipsis)
        missing = signal.rank - (len(key) - 1)
        places = [*range(at), *([None] * missing), *range(at + 1, len(key))]
    else:
        places = [*range(len(key)), *([None] * (signal.rank - len(key)))]
    labels: dict[int, Labels] = {}
    out = 0
    for axis, place in enumerate(places):
        part = slice(None) if place is None else key[place]
        one = signal.at(axis)
        if isinstance(part, int):
            if one is not None:
                step.trace.freeze(one, f"{step.layer.name!r} takes one channel by its number")
            continue
        if one is not None:
            begin, end, stride = part.indices(len(one))
            if stride != 1 or end <= begin:
                step.trace.freeze(one, f"{step.layer.name!r} takes channels by their numbers")
            labels[out] = one[part]
            if place is not None and part != slice(None):
                assert node is not None
                step.trace.slices.append(Slice(node, place, one, begin, end))
        out += 1
    return [step.made[0].like(labels)]


def _key(node: Any) -> list[Any] | None:
    """Give the parts of the key of a call of GetItem; `None` if they are not plain."""
    given = [*node.args[1:], *node.kwargs.values()]
    key = given[0] if given else None
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    for part in parts:
        numbers = [part.start, part.stop, part.step] if isinstance(part, slice) else [part]
        if part is not Ellipsis and not all(one is None or type(one) is int for one in numbers):
            return None
        if part is None:
            return None
    return parts
