"""Dropout that Keras's own layers hold in their config: recurrent layers and attention."""

from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasopt.graph import Graph, Node
from kerasopt.graph.copies import fresh
from kerasopt.graph.state import carry_over

# `RNN` is the base of LSTM, GRU, SimpleRNN and the ConvLSTMs.
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
_ATTENTION = (
    keras.layers.AdditiveAttention,
    keras.layers.Attention,
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
)
_INPUTS = "dropout"
_STATE = "recurrent_dropout"


def is_recurrent(layer: Any) -> bool:
    """Tell whether a layer is one of Keras's recurrent layers, in both directions or one."""
    return isinstance(layer, _RECURRENT)


def has_own_dropout(layer: Any) -> bool:
    """Tell whether a recurrent or attention layer drops something by its config."""
    if not isinstance(layer, (*_RECURRENT, *_ATTENTION)):
        return False
    return any(
        config.get(name) for config in _configs(layer.get_config()) for name in (_INPUTS, _STATE)
    )


def set_recurrent(graph: Graph, node: Node, rate: float, seed: int | None, inputs: bool) -> bool:
    """Give a recurrent layer dropout in its config, where it has none.

    Args:
        graph: The graph.
        node: A call of the layer.
        rate: The rate, for `dropout` and `recurrent_dropout`.
        seed: A seed, or `None`.
        inputs: Whether its inputs may be dropped, and not only its state.

    Returns:
        Whether anything has changed.
    """
    names = [_STATE, *([_INPUTS] if inputs else [])]
    changed = []

    def change(config: dict[str, Any]) -> None:
        for one in _configs(config):
            for name in names:
                if _STATE in one and not one[name]:
                    one[name] = rate
                    changed.append(name)
                    if seed is not None and one.get("seed") is None:
                        one["seed"] = seed

    _replace(graph, node, change, changed)
    return bool(changed)


def clear_own_dropout(graph: Graph, node: Node) -> None:
    """Set the dropout that a recurrent or attention layer has in its config to 0."""

    def change(config: dict[str, Any]) -> None:
        for one in _configs(config):
            for name in (_INPUTS, _STATE):
                if name in one:
                    one[name] = 0.0

    _replace(graph, node, change, [True])


def _replace(graph: Graph, node: Node, change: Callable[[Any], None], changed: list[Any]) -> None:
    layer = fresh(node.layer, change=change)
    if changed:
        graph.replace(node, layer, transfer=carry_over)


def _configs(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a config and those of the layers and cells in it."""
    yield config
    for value in config.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and isinstance(one.get("config"), dict):
                yield from _configs(one["config"])
