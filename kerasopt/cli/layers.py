"""What the layers of a Keras model are: shapes, parameters, bytes, zeros, precision."""

from typing import Any

import numpy as np

from kerasopt._text import columns
from kerasopt.selection import walk

_HEADS = ["layer", "kind", "output", "parameters", "bytes", "zero", "precision"]


def layers_of(model: Any) -> list[dict[str, Any]]:
    """List the layers with weights of their own, and those without any.

    A model inside the model is listed by its layers.

    Args:
        model: A built Keras model.

    Returns:
        A dict a layer, plain data.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="out")])
    >>> [(one["layer"], one["bytes"], one["output"]) for one in layers_of(model)]
    [('out', 60, [None, 3])]
    """
    found = [(path, layer) for path, layer in walk(model) if not getattr(layer, "layers", None)]
    return [_layer(path, layer) for path, layer in found if type(layer).__name__ != "InputLayer"]


def layers_table(layers: list[dict[str, Any]]) -> str:
    """Give them as a table of text."""
    rows = [
        [
            one["layer"],
            one["kind"],
            " x ".join("any" if size is None else str(size) for size in one["output"] or ()),
            f"{one['parameters']:,}",
            f"{one['bytes']:,}",
            f"{one['sparsity']:.1%}" if one["parameters"] else "",
            one["quantization"] or one["precision"],
        ]
        for one in layers
    ]
    return columns([_HEADS, *rows], right=[3, 4, 5])


def _layer(path: str, layer: Any) -> dict[str, Any]:
    weights = [np.asarray(one) for one in layer.weights]
    size = sum(one.size for one in weights)
    zeros = sum(one.size - int(np.count_nonzero(one)) for one in weights)
    return {
        "layer": path,
        "kind": type(layer).__name__,
        "output": _output(layer),
        "parameters": size,
        "bytes": sum(one.nbytes for one in weights),
        "sparsity": zeros / size if size else 0.0,
        "precision": layer.dtype_policy.name,
        "quantization": getattr(layer, "quantization_mode", None),
    }


def _output(layer: Any) -> list[int | None] | None:
    """Give the shape of a layer's output where it has one: outside a graph it has none."""
    try:
        return list(layer.output.shape)
    except AttributeError:
        return None
