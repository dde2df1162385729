"""What data tell of channels: what the loss would change without them, how active they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt._kernels import numbers
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group, rows
from kerasopt.dependency.union_find import Labels
from kerasopt.pruning.statistics.batches import Batches
from kerasopt.pruning.statistics.gradients import Gradients, untouched
from kerasopt.structured.importance.layer_inputs import look, run

Array = NDArray[Any]
BATCH = 16


def read(model: Any, data: Any, batches: int, gradients: bool = False) -> list[Any]:
    """Give some batches of what the user gave.

    Raises:
        TypeError: If `data` is of another form.
        ValueError: If there are none, or the model cannot take them.
    """
    if data is None:
        form = "batches (x, y)" if gradients else "batches of x"
        raise bad_value("data", form, data, "Give some of the training data: `data=(x[:512], y)`.")
    found = Batches(data, size=BATCH).take(batches)
    with untouched(model):
        run(model, found[0], 0)
    return found


def changes(model: Any, groups: Sequence[Group], batches: Sequence[Any]) -> list[Array]:
    """Give what the loss would change without each channel, to first order.

    The sum of w dL/dw over the weights that take a channel is that of x dL/dx over what it gives.
    Of each batch its absolute value counts; the mean over batches.
    """
    takers = {id(s.place.variable): s.place.variable for one in groups for s in _takers(one)}
    gradients = Gradients(model, list(takers.values()))
    found = [np.zeros(len(one)) for one in groups]
    for batch in batches:
        means, _ = gradients.over([batch])
        products = {
            key: numbers(variable) * gradient
            for (key, variable), gradient in zip(takers.items(), means, strict=True)
        }
        for number, one in enumerate(groups):
            parts = [rows(s, products[id(s.place.variable)]).sum(1) for s in _takers(one)]
            found[number] += np.abs(np.sum(parts, axis=0)) / len(batches)
    return found


def _takers(group: Group) -> list[Any]:
    return [one for one in group.stands if one.place.role == "takes"]


def activities(
    model: Any, trace: Trace, groups: Sequence[Group], batches: Sequence[Any]
) -> list[tuple[Array, Array]]:
    """Give the mean of |output| of each channel and the share above zero, where kernels take it."""
    size = 1 + max((int(one.roots.max()) for one in groups), default=0)
    sums = np.zeros((2, size))
    counts = np.zeros(size)

    def see(layer: Any, argument: str, labels: Labels, axis: int, value: Array) -> None:
        del layer, argument
        roots = trace.atoms.roots(labels)
        inside = roots < len(counts)
        others = tuple(one for one in range(value.ndim) if one != axis)
        np.add.at(sums[0], roots[inside], np.abs(value).mean(others)[inside])
        np.add.at(sums[1], roots[inside], (value > 0).mean(others)[inside])
        np.add.at(counts, roots[inside], 1.0)

    kernels = {id(place.owner) for place in trace.places.values() if place.role == "takes"}
    look(model, trace, kernels, batches, see)
    with np.errstate(invalid="ignore"):
        means = np.nan_to_num(sums / counts)
    return [(means[0][one.roots], means[1][one.roots]) for one in groups]
