"""Attention: heads go, what they are made of stays."""

import inspect
from typing import Any

import keras

from kerasopt.dependency.rules.layer_rule import Step, extent, rule
from kerasopt.dependency.tensor_channels import Signal
from kerasopt.graph import Port


@rule(keras.layers.MultiHeadAttention)
def multi_head_attention(step: Step) -> list[Signal]:
    """Follow heads, from the three projections into the one at the end."""
    layer, trace, owner = step.layer, step.trace, step.owner
    if step.node is None:
        return step.freeze(f"{layer.name!r} is attention inside another layer")
    query, key, value = _named(step)
    for signal in (query, key, value):
        for axis, labels in signal.labels.items():
            if axis != signal.rank - 1:
                trace.freeze(labels, f"{layer.name!r} attends over it")
    for dense, signal, reads in (
        (layer.query_dense, query, ""),
        (layer.key_dense, key, "value" if key is value else "key"),
        (layer.value_dense, value, "value"),
    ):
        trace.takes(owner, dense.kernel, 0, signal.at(-1), reads)
        step.works(dense.kernel, signal)
    heads = trace.makes(owner, layer.query_dense.kernel, 1)
    for dense in (layer.query_dense, layer.key_dense, layer.value_dense):
        trace.makes(owner, dense.kernel, 1, heads)
        if dense.bias is not None:
            trace.makes(owner, dense.bias, 0, heads)
    last = layer.output_dense
    trace.takes(owner, last.kernel, 0, heads, reads=None)
    trace.heads.append(heads)
    step.counts("num_heads", heads)
    out = step.made[0]
    if len(last.kernel.shape) != 3:
        return step.freeze(f"{layer.name!r} has outputs of several axes")
    width = trace.makes(owner, last.kernel, 2)
    if last.bias is not None:
        trace.makes(owner, last.bias, 0, width)
    # Without it the output is as wide as the query, which may lose other channels.
    step.counts("output_shape", width, always=True)
    step.works(last.kernel, out)
    depth = int(layer.query_dense.kernel.shape[2]) + int(layer.value_dense.kernel.shape[2])
    pairs = [*extent(query, (0, query.rank - 1)), *extent(value, (0, value.rank - 1))]
    trace.works(owner, None, [*pairs, depth, heads])
    if len(step.made) > 1:
        trace.freeze(heads, f"the scores of {layer.name!r} are used")
    return [out.like({out.rank - 1: width}), *(one.like({}) for one in step.made[1:])]


def _named(step: Step) -> tuple[Signal, Signal, Signal]:
    """Give query, key and value; what else is given keeps its size."""
    node, trace = step.node, step.trace
    assert node is not None
    bound = inspect.signature(step.layer.call).bind(*node.args, **node.kwargs).arguments
    ports: dict[str, Any] = {name: bound.get(name) for name in ("query", "key", "value")}
    ports["key"] = ports["value"] if ports["key"] is None else ports["key"]
    for port in node.data:
        if not any(port is one for one in ports.values()):
            trace.freeze(trace.signal(port), f"{step.layer.name!r} is masked by it")
    found = [trace.signal(port) for port in ports.values() if isinstance(port, Port)]
    return found[0], found[1], found[2]
