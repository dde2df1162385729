"""What layers are given while a model runs, with the channels that stand there."""

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt.graph import Port
from kerasopt.pruning.channels.atoms import Labels
from kerasopt.pruning.channels.trace import Call, Trace
from kerasopt.pruning.gradients import untouched

Array = NDArray[Any]
See = Callable[[Any, Labels, int, Array], None]


def look(
    model: Any, trace: Trace, layers: Collection[int], batches: Sequence[Any], see: See
) -> None:
    """Run a model as in inference, and show what some of its layers are given.

    Args:
        model: The model, which does not change.
        trace: What is known of it.
        layers: The `id`s of the layers.
        batches: Tuples that begin with the inputs of a batch.
        see: Function `see(layer, labels, axis, value)`, called with each tensor that such a layer
            is given and each axis of it that may lose channels.
    """
    calls = [call for call in trace.calls if id(call.layer) in layers]
    with untouched(model), _watching(trace, calls, see):
        for batch in batches:
            model(batch[0], training=False)


@contextlib.contextmanager
def _watching(trace: Trace, calls: Sequence[Call], see: See) -> Iterator[None]:
    layers = {id(call.layer): call for call in calls}
    before = {key: vars(call.layer).get("call") for key, call in layers.items()}
    try:
        for call in layers.values():
            call.layer.call = _noting(trace, call, see)
        yield
    finally:
        for key, call in layers.items():
            if before[key] is None:
                del call.layer.call
            else:
                call.layer.call = before[key]


def _noting(trace: Trace, call: Call, see: See) -> Any:
    original = call.layer.call
    known = _named(original, call.node.args, call.node.kwargs) if call.node is not None else {}

    def noting(*args: Any, **kwargs: Any) -> Any:
        # By the names of arguments: at run time there may be masks among them.
        values = _named(original, args, kwargs)
        for name, port in known.items():
            leaf: Any = values.get(name)
            signal = trace.signal(port) if isinstance(port, Port) else None
            if signal is None or len(getattr(leaf, "shape", ())) != signal.rank:
                continue
            for axis, labels in signal.labels.items():
                if leaf.shape[axis] == len(labels):
                    value = np.asarray(keras.ops.convert_to_numpy(leaf), np.float32)
                    see(call.layer, labels, axis, value)
        return original(*args, **kwargs)

    return noting


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
