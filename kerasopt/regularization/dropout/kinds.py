"""The kinds of dropout, and which layer each of them means at a place of a graph."""

from collections.abc import Callable
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt._layers import DROPOUTS
from kerasopt.graph import Node
from kerasopt.regularization.layers import DropBlock2D, ScheduledDropout, StochasticDepth

Make = Callable[..., Any]

# Kind -> what is added to the name of the layer before it.
SUFFIXES = {
    "auto": "dropout",
    "dropout": "dropout",
    "spatial_dropout": "spatial_dropout",
    "alpha_dropout": "alpha_dropout",
    "gaussian_dropout": "gaussian_dropout",
    "drop_block": "drop_block",
    "stochastic_depth": "stochastic_depth",
    "scheduled": "dropout",
}
_ALSO = {
    "spatial": "spatial_dropout",
    "spatialdropout1d": "spatial_dropout",
    "spatialdropout2d": "spatial_dropout",
    "spatialdropout3d": "spatial_dropout",
    "alpha": "alpha_dropout",
    "gaussian": "gaussian_dropout",
    "dropblock2d": "drop_block",
    "droppath": "stochastic_depth",
    "scheduleddropout": "scheduled",
}
_BY_SHORT_NAME = {kind.replace("_", ""): kind for kind in SUFFIXES} | _ALSO

ALL_DROPOUTS = (*DROPOUTS, DropBlock2D, ScheduledDropout, StochasticDepth)


def checked_kind(kind: Any) -> str | Make:
    """Give the name of a kind as it is written here, or the user's own class or function.

    Raises:
        TypeError: If it is of another type.
        ValueError: If the name is not known.

    Example:
    >>> checked_kind("SpatialDropout2D"), checked_kind(keras.layers.Dropout)
    ('spatial_dropout', 'dropout')
    """
    expected = f"one of {list(SUFFIXES)}, a layer class, or a function that makes a layer"
    if isinstance(kind, type) and not issubclass(kind, keras.layers.Layer):
        raise bad_type("kind", expected, kind)
    if kind in ALL_DROPOUTS:
        kind = kind.__name__
    if isinstance(kind, str):
        short = kind.lower().replace("_", "").replace("-", "").replace(" ", "")
        if short not in _BY_SHORT_NAME:
            raise bad_value("kind", expected, kind, did_you_mean(kind.lower(), SUFFIXES))
        return _BY_SHORT_NAME[short]
    if not callable(kind) or isinstance(kind, keras.layers.Layer):
        raise bad_type("kind", expected, kind)
    make: Make = kind
    return make


def make_layer(kind: str | Make, node: Node, rate: float, seed: int | None, name: str) -> Any:
    """Make the layer that a kind means behind a call.

    Args:
        kind: What `checked_kind` gave.
        node: The call.
        rate: Its rate.
        seed: Its seed, or `None`.
        name: Its name.

    Raises:
        ValueError: If a function of the user's gives no layer.
    """
    # As what it takes: a float32 dropout in a float16 model would cast.
    arguments: dict[str, Any] = {"seed": seed, "name": name, "dtype": node.outputs[0].dtype}
    if not isinstance(kind, str):
        try:
            layer = kind(rate, **arguments)
        except Exception as error:
            called = "kind(rate, seed=..., name=..., dtype=...)"
            raise bad_value(
                "kind",
                f"a class or function that can be called as `{called}`",
                kind,
                f"It says: {error}",
            ) from error
        if not isinstance(layer, keras.layers.Layer):
            raise bad_value("kind", "a function that gives a Keras layer", layer)
        return layer
    rank = len(node.outputs[0].shape)
    if kind == "spatial_dropout" and rank in (3, 4, 5):
        cls = getattr(keras.layers, f"SpatialDropout{rank - 2}D")
        return cls(rate, **arguments, **({"data_format": data_format(node)} if rank > 3 else {}))
    if kind == "drop_block":
        return DropBlock2D(rate, data_format=data_format(node), **arguments)
    if kind == "auto":
        kind = "alpha_dropout" if follows_selu(node) else "dropout"
    return _CLASSES[kind](rate, **arguments)


_CLASSES: dict[str, Any] = {
    "dropout": keras.layers.Dropout,
    # Of numbers without places each is a channel of its own.
    "spatial_dropout": keras.layers.Dropout,
    "alpha_dropout": keras.layers.AlphaDropout,
    "gaussian_dropout": keras.layers.GaussianDropout,
    "stochastic_depth": StochasticDepth,
    "scheduled": ScheduledDropout,
}


def follows_selu(node: Node) -> bool:
    """Tell whether the last activation up to a call is a selu, past what only moves or pools."""
    while True:
        activation = getattr(node.layer, "activation", None)
        name = getattr(activation, "__name__", "")
        if name and name != "linear":
            return bool(activation is keras.activations.selu)
        if not isinstance(node.layer, keras.layers.Layer):
            return _keras.operation_kind(node.layer) == "Selu"
        if node.layer.weights or len(node.inputs) != 1:
            return False
        node = node.inputs[0].node


def data_format(node: Node) -> str | None:
    """Give where the channels are behind a call, as the nearest layer before it says."""
    while True:
        found = getattr(node.layer, "data_format", None)
        if isinstance(found, str):
            return found
        if not node.inputs:
            return None
        node = node.inputs[0].node
