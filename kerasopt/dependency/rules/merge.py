"""Layers and operations that take several tensors: sums, products, concatenations."""

from typing import Any

import keras
import numpy as np

from kerasopt.dependency.rules.layer_rule import Step, operation, rule
from kerasopt.dependency.tensor_channels import Signal
from kerasopt.dependency.union_find import Labels
from kerasopt.graph import Port

_layers = keras.layers


@rule(
    _layers.Add, _layers.Subtract, _layers.Multiply, _layers.Average, _layers.Maximum,
    _layers.Minimum,
)  # fmt: skip
def merge(step: Step) -> list[Signal]:
    """Tie channels that stand at the same place."""
    if len({signal.rank for signal in step.given}) > 1:
        return step.freeze(f"{step.layer.name!r} takes tensors of different ranks")
    return _broadcast(step, step.given)


@operation(
    "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum", "Power", "Mod",
    "Arctan2", "Where",
)  # fmt: skip
def binary(step: Step) -> list[Signal]:
    """Tie channels that stand at the same place; a constant is one number, or keeps them."""
    signals = list(step.given)
    assert step.node is not None
    for leaf in keras.tree.flatten((step.node.args, step.node.kwargs)):
        shape = getattr(leaf, "shape", None)
        if not isinstance(leaf, Port) and shape is not None and len(shape):
            signals.append(Signal(tuple(shape)))
    return _broadcast(step, signals)


def _broadcast(step: Step, signals: list[Signal]) -> list[Signal]:
    made = step.made[0]
    labels: dict[int, Labels] = {}
    for axis in range(made.rank):
        found: list[tuple[int | None, Labels | None]] = []
        for signal in signals:
            at = axis - (made.rank - signal.rank)
            if at >= 0:
                found.append((signal.shape[at], signal.at(at)))
        size = made.shape[axis]
        whole = [one for length, one in found if length != 1 or size == 1]
        for length, one in found:
            if length == 1 and size != 1 and one is not None:
                step.trace.freeze(one, f"{step.layer.name!r} gives it to all channels")
        known = [one for one in whole if one is not None]
        for one in known:
            if len(known) < len(whole):
                step.trace.freeze(one, f"{step.layer.name!r} adds what cannot lose channels")
            step.trace.atoms.tie(known[0], one)
        if known:
            labels[axis] = known[0]
    return [made.like(labels)]


@rule(_layers.Concatenate)
@operation("Concatenate")
def concatenate(step: Step) -> list[Signal]:
    """Put channels behind each other; along the other axes they are tied."""
    made, trace = step.made[0], step.trace
    along = step.layer.axis % made.rank
    labels: dict[int, Labels] = {}
    for axis in range(made.rank):
        found = [signal.at(axis) for signal in step.given]
        if all(one is None for one in found):
            continue
        if axis != along:
            known = [one for one in found if one is not None]
            for one in known:
                if len(known) < len(found):
                    trace.freeze(one, f"{step.layer.name!r} joins it to what cannot lose channels")
                trace.atoms.tie(known[0], one)
            labels[axis] = known[0]
            continue
        if None in [s.shape[axis] for s in step.given if s.at(axis) is None]:
            for labelled in [one for one in found if one is not None]:
                trace.freeze(labelled, f"{step.layer.name!r} joins it to a tensor of unknown size")
            continue
        pairs = zip(step.given, found, strict=True)
        parts = [_fixed(step, s.shape[axis]) if one is None else one for s, one in pairs]
        labels[axis] = np.concatenate(parts)
    return [made.like(labels)]


def _fixed(step: Step, size: Any) -> Labels:
    made = step.trace.atoms.new(int(size))
    step.trace.freeze(made, "was not made by a layer that can lose channels")
    return made
