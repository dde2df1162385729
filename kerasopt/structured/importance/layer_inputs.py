"""What layers are given while a model runs, with the channels that stand there."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt._layers import Call as Called
from kerasopt._layers import calls_through
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.tensor_channels import Call, Signal
from kerasopt.dependency.union_find import Labels
from kerasopt.graph import Port
from kerasopt.pruning.statistics.batches import Shapes, said
from kerasopt.pruning.statistics.gradients import untouched

Array = NDArray[Any]
See = Callable[[Any, str, Labels, int, Array], None]


def look(
    model: Any, trace: Trace, layers: Collection[int], batches: Sequence[Any], see: See
) -> None:
    """Run a model as in inference, and show what some of its layers are given.

    Args:
        model: The model, which does not change.
        trace: What is known of it.
        layers: The `id`s of the layers.
        batches: Tuples that begin with the inputs of a batch.
        see: Function `see(layer, argument, labels, axis, value)`, called with each tensor that such
            a layer is given, the argument that it is (`""` for the first one), and each axis of it
            that may lose channels.

    Raises:
        ValueError: If the model cannot take a batch.
    """
    calls: dict[int, list[Call]] = defaultdict(list)
    for call in trace.calls:
        if id(call.layer) in layers and call.node is not None:
            calls[id(call.layer)].append(call)
    watched = [several[0].layer for several in calls.values()]

    def noting(layer: Any, call: Called) -> Called:
        return _noting(trace, call, calls[id(layer)], see)

    with untouched(model), calls_through(watched, noting):
        for number, batch in enumerate(batches):
            run(model, batch, number)


def run(model: Any, batch: Any, number: int) -> None:
    """Run a model as in inference on a batch that a user gave.

    Raises:
        ValueError: If it cannot take it.
    """
    try:
        model(batch[0], training=False)
    except Exception as error:
        inputs = [tuple(one.shape) for one in getattr(model, "inputs", None) or ()]
        several = " For several inputs give `data=([x1, x2],)`, or a dict by name."
        raise bad_value(
            "data",
            f"batches of x that the model takes (x {', '.join(map(str, inputs))})",
            Shapes([batch]),
            f"Batch {number} raised {said(error)}{several if len(inputs) > 1 else ''}",
        ) from error


def _noting(trace: Trace, original: Called, calls: Sequence[Call], see: See) -> Called:
    layer = calls[0].layer
    first = next(iter(inspect.signature(original).parameters), "")
    known = [_signals(trace, call, original) for call in calls]

    def noting(*args: Any, **kwargs: Any) -> Any:
        # By the names of arguments: at run time there may be masks among them.
        values = _named(original, args, kwargs)
        for (name, place), signal in next((k for k in known if _fits(k, values)), {}).items():
            leaf: Any = values[name, place]
            value = np.asarray(keras.ops.convert_to_numpy(leaf), np.float32)
            for axis, labels in signal.labels.items():
                see(layer, "" if name == first else name, labels, axis, value)
        return original(*args, **kwargs)

    return noting


def _signals(trace: Trace, call: Call, function: Any) -> dict[tuple[str, int], Signal]:
    """Give what is known of the tensors of a call, of those that may lose channels."""
    assert call.node is not None
    named = _named(function, call.node.args, call.node.kwargs)
    found = {key: trace.signal(port) for key, port in named.items() if isinstance(port, Port)}
    return {key: signal for key, signal in found.items() if signal.labels}


def _fits(known: Mapping[tuple[str, int], Signal], values: Mapping[tuple[str, int], Any]) -> bool:
    """Tell whether tensors may be those of a call: a layer may be called on several ranks."""
    for key, signal in known.items():
        shape = getattr(values.get(key), "shape", ())
        if len(shape) != signal.rank:
            return False
        if any(shape[axis] != len(labels) for axis, labels in signal.labels.items()):
            return False
    return bool(known)


def _named(function: Any, args: Any, kwargs: Any) -> dict[tuple[str, int], Any]:
    """Give the tensors of a call by the name of the argument and their place in it."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {}
    return {
        (name, place): leaf
        for name, value in bound.items()
        for place, leaf in enumerate(keras.tree.flatten(value))
    }
