"""Parameters, multiplications and activation memory of each layer of a model."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasopt._core.display import Shown, columns
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.graph import Graph
from kerasopt.profile.cost import Cost, Costs


@dataclass(frozen=True)
class LayerCount:
    """What one layer costs, all its calls together, for one sample.

    Attributes:
        path: Its name, after those of the models around it.
        kind: Its class.
        shape: Shape of its first output, batch first.
        parameters: Numbers in its weights.
        macs: Multiplications, each with an addition.
        activation_bytes: Bytes of what it gives.
    """

    path: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int
    macs: int
    activation_bytes: int


@dataclass(frozen=True, repr=False)
class Count(Shown, Cost):
    """What a model costs, and each of its layers; printed as a table.

    Attributes:
        layers: A `LayerCount` for each layer and operation, in order.
        not_counted: Paths of layers whose multiplications are not known: custom ones, wrappers,
            quantized ones. Their `macs` are 0.
    """

    layers: tuple[LayerCount, ...] = ()
    not_counted: tuple[str, ...] = ()

    def brief(self) -> str:
        """Give the sums."""
        return f"{self.parameters:,} parameters, {self.macs:,} MACs, {len(self.layers)} layers"

    def _table(self) -> list[list[str]]:
        rows = [["layer", "kind", "output", "parameters", "MACs", "activation, bytes"]]
        for one in self.layers:
            shape = " x ".join("?" if size is None else str(size) for size in one.shape[1:])
            numbers = (one.parameters, one.macs, one.activation_bytes)
            rows.append([one.path, one.kind, shape, *(f"{number:,}" for number in numbers)])
        total = (self.parameters, self.macs, self.peak_bytes)
        rows.append(["in all", "", "", *(f"{number:,}" for number in total)])
        return rows

    def parts(self) -> list[Any]:
        """Give the table, and what is not counted."""
        names = ", ".join(self.not_counted)
        return [self._table(), *([f"MACs that are not counted: {names}."] if names else [])]

    def __str__(self) -> str:
        text = columns(self._table(), right=[3, 4, 5]) + " (at most at a time)"
        if self.not_counted:
            text += f"\n\nMACs that are not counted: {', '.join(self.not_counted)}."
        return text


def count(model: Any) -> Count:
    """Count the parameters, multiplications and activation memory of a model, layer by layer.

    A multiplication counts with its addition (MACs; half of what others call FLOPs). Those of
    convolutions, matrices, recurrent layers and attention are counted; what costs a few operations
    a number (normalization, activations, sums) is not, and layers that are not known are named.
    Axes of unknown size count as one, so give the model a fixed input size.

    Args:
        model: A built Functional or Sequential model, with models nested in it to any depth.

    Returns:
        A `Count`: `parameters`, `macs`, `peak_bytes` (tensors that live at the same time at most,
        one sample, in float32 as the model computes), `weight_bytes`, and `layers`.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If it is not built, or a subclassed model that has no graph.

    Example:
    >>> import keras
    >>> model = keras.Sequential([
    ...     keras.Input((8, 8, 3)),
    ...     keras.layers.Conv2D(4, 3, padding="same", name="conv"),
    ...     keras.layers.GlobalAveragePooling2D(name="pool"),
    ...     keras.layers.Dense(2, name="top"),
    ... ])
    >>> found = count(model)
    >>> found.macs, found.parameters, found.peak_bytes
    (6920, 122, 1792)
    """
    trace = Trace(Graph.of(model))
    costs = Costs(trace, [])
    whole = costs.of()
    none = np.zeros(0, np.int64)
    layers: dict[str, LayerCount] = {}
    for call in trace.calls:
        before = layers.get(call.path)
        macs = sum(costs.macs(work, none) for work in call.works)
        variables = getattr(call.layer, "weights", [])
        layers[call.path] = LayerCount(
            call.path,
            type(call.layer).__name__,
            call.made[0].shape if call.made else (),
            sum(costs.size(variable, none) for variable in variables),
            macs + (before.macs if before else 0),
            sum(costs.activation(signal, none) for signal in call.made),
        )
    unknown = tuple(dict.fromkeys(trace.uncounted))
    return Count(**vars(whole), layers=tuple(layers.values()), not_counted=unknown)
