"""Layers with a matrix: Dense, EinsumDense, Embedding."""

from typing import Any

import keras

from kerasopt._layers import Equation
from kerasopt.dependency.rules.elementwise import is_elementwise, name_of
from kerasopt.dependency.rules.layer_rule import Step, rule
from kerasopt.dependency.tensor_channels import Signal


def settle(step: Step, labels: Any, activation: str = "activation") -> None:
    """Keep channels that the layer's own activation, the attribute of that name, mixes."""
    function = getattr(step.layer, activation, None)
    if not is_elementwise(function):
        step.trace.freeze(labels, f"the activation {name_of(function)} may mix channels")


@rule(keras.layers.Dense)
def dense(step: Step) -> list[Signal]:
    """Follow units: outputs are new, inputs are rows of the kernel."""
    layer, trace = step.layer, step.trace
    signal = step.given[0]
    others = {axis: one for axis, one in signal.labels.items() if axis != signal.rank - 1}
    trace.takes(step.owner, layer.kernel, 0, signal.at(-1))
    units = trace.makes(step.owner, layer.kernel, 1)
    if layer.bias is not None:
        trace.makes(step.owner, layer.bias, 0, units)
    step.counts("units", units)
    step.works(layer.kernel, signal)
    settle(step, units)
    return [step.made[0].like({**others, step.made[0].rank - 1: units})]


@rule(keras.layers.Embedding)
def embedding(step: Step) -> list[Signal]:
    """Follow the width of the vectors; what says which of them is no channel."""
    for labels in step.given[0].all():
        step.trace.freeze(labels, f"{step.layer.name!r} takes it for numbers of rows")
    width = step.trace.makes(step.owner, step.layer.embeddings, 1)
    step.counts("output_dim", width)
    return [step.made[0].like({step.made[0].rank - 1: width})]


@rule(keras.layers.EinsumDense)
def einsum_dense(step: Step) -> list[Signal]:
    """Follow each letter of the equation."""
    layer, trace, signal = step.layer, step.trace, step.given[0]
    equation, rank = Equation.of(layer.equation), len(layer.kernel.shape)
    if equation is None or equation.dots == "last" or len(equation.kernel) != rank:
        return step.freeze(f"the equation {layer.equation!r} is not understood")
    given, kernel, result = equation.given, equation.kernel, equation.result
    made = step.made[0]
    begin, end = equation.begin(given, signal.rank), equation.begin(result, made.rank)
    labels = {axis: one for axis, one in signal.labels.items() if axis < begin and end == begin}
    for axis, one in signal.labels.items():
        letter = given[axis - begin] if axis >= begin else ""
        if axis >= begin and letter not in kernel and letter not in result:
            trace.freeze(one, f"{layer.name!r} sums over all channels")
        if axis < begin and end != begin:
            trace.freeze(one, f"the equation {layer.equation!r} is not understood")
    for axis, letter in enumerate(kernel):
        passed = signal.at(begin + given.index(letter)) if letter in given else None
        if letter in given and letter in result:
            trace.scales(step.owner, layer.kernel, axis, passed)
        elif letter in given:
            trace.takes(step.owner, layer.kernel, axis, passed)
        else:
            labels[end + result.index(letter)] = trace.makes(step.owner, layer.kernel, axis)
    for axis, letter in enumerate(result):
        passing = signal.at(begin + given.index(letter)) if letter in given else None
        if passing is not None:
            labels[end + axis] = passing
        # The argument leaves out the batch, or what stands for it and others.
        index = axis if equation.dots else axis - 1
        if end + axis in labels and index >= 0:
            step.counts("output_shape", labels[end + axis], index)
    if layer.bias is not None:
        shape = layer.bias.shape
        for axis, size in enumerate(shape):
            with_bias = labels.get(made.rank - len(shape) + axis)
            if size > 1 and with_bias is not None:
                trace.makes(step.owner, layer.bias, axis, with_bias)
    multiplied = [begin + i for i, letter in enumerate(given) if letter in kernel]
    step.works(layer.kernel, signal, [0, *multiplied])
    for one in labels.values():
        settle(step, one)
    return [made.like(labels)]
