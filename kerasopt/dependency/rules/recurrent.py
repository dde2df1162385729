"""Recurrent layers."""

import keras
import numpy as np

from kerasopt.dependency.rules.dense import settle
from kerasopt.dependency.rules.layer_rule import Step, channel_axis, rule
from kerasopt.dependency.tensor_channels import Signal
from kerasopt.dependency.union_find import Labels

_layers = keras.layers


@rule(_layers.SimpleRNN, _layers.GRU, _layers.LSTM)
def recurrent(step: Step) -> list[Signal]:
    """Follow units: each has a column in every gate, and a row in the recurrent kernel."""
    return _recurrent(step, "units", -1)


@rule(_layers.ConvLSTM1D, _layers.ConvLSTM2D, _layers.ConvLSTM3D)
def convolutional(step: Step) -> list[Signal]:
    """Follow filters: each has one in every gate, and is an input of the recurrent kernel."""
    rank = step.given[0].rank
    first = step.layer.data_format == "channels_first"
    return _recurrent(step, "filters", 2 if first else rank - 1)


def _recurrent(step: Step, name: str, axis: int) -> list[Signal]:
    layer, trace, cell = step.layer, step.trace, step.layer.cell
    signal = step.given[0]
    axis = axis % signal.rank
    for other, labels in signal.labels.items():
        if other != axis:
            trace.freeze(labels, f"{layer.name!r} goes along it")
    trace.takes(step.owner, cell.kernel, -2, signal.at(axis))
    known = trace.places.get((id(cell.recurrent_kernel), len(cell.recurrent_kernel.shape) - 2))
    units = trace.atoms.new(cell.recurrent_kernel.shape[-2]) if known is None else known.labels
    gates = np.tile(units, cell.kernel.shape[-1] // len(units))
    trace.takes(step.owner, cell.recurrent_kernel, -2, units, reads=None)
    trace.makes(step.owner, cell.kernel, -1, gates)
    trace.makes(step.owner, cell.recurrent_kernel, -1, gates)
    if cell.bias is not None:
        trace.makes(step.owner, cell.bias, -1, gates)
    step.counts(name, units)
    _work(step)
    for activation in ("activation", "recurrent_activation"):
        settle(step, units, activation)
    if layer.stateful:
        trace.freeze(units, f"{layer.name!r} keeps its states")
    for state in step.given[1:]:
        found = state.at(-1 if axis == signal.rank - 1 else 1)
        if found is None:
            trace.freeze(units, f"{layer.name!r} begins with states that cannot lose channels")
        else:
            trace.atoms.tie(units, found)
    return [one.like({_axis_of(one, signal, axis): units}) for one in step.made]


def _axis_of(made: Signal, given: Signal, axis: int) -> int:
    """Give the axis of the units of an output: with time, or without."""
    return axis if made.rank == given.rank else axis - 1


def _work(step: Step) -> None:
    layer, signal, made = step.layer, step.given[0], step.made[0]
    shape = made.shape if made.rank < signal.rank else (made.shape[0], *made.shape[2:])
    at = channel_axis(layer, len(shape))
    times = [size or 1 for place, size in enumerate(shape) if place not in (0, at)]
    for kernel in (layer.cell.kernel, layer.cell.recurrent_kernel):
        step.trace.works(step.owner, kernel, [signal.shape[1] or 1, *times])


def units_of(step: Step) -> Labels:
    """Give the units of a recurrent layer that was followed."""
    kernel = step.layer.cell.recurrent_kernel
    return step.trace.places[id(kernel), len(kernel.shape) - 2].labels
