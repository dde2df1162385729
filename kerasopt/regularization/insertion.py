"""Putting dropout into a model that exists."""

import warnings
from typing import Any

import keras

from kerasopt._checks import bad_type, bad_value, fraction, is_integer
from kerasopt.graph import Graph
from kerasopt.regularization.placement import automatic_places, named_places, never_trains


def insert_dropout(model: Any, rate: float, after: Any = None, seed: int | None = None) -> Any:
    r"""Give a copy of a model with dropout in it, and with the same weights.

    In training each number behind the chosen layers is zero with probability `rate`, and else
    divided by `1 - rate`, so that its mean stays; in inference nothing changes
    (Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting").
    The new layers are plain `keras.layers.Dropout`, named `<layer>_dropout`: a saved model loads
    without kerasopt.

    Args:
        model: A built Functional or Sequential model, or a subclass of these, with models nested
            in it to any depth. It is not changed.
        rate: Float in [0, 1): the share of numbers to drop.
        after: Behind which layers, at any depth: names or paths (shell wildcards allowed), compiled
            regular expressions, layer classes, layers, functions `layer -> bool`, or a list of
            these. A nested model counts as one layer if it is named itself. A layer that is called
            several times gets one dropout a call, one with several outputs on the first of them.
            Defaults to `None`: behind every pooling layer and every hidden Dense layer (behind its
            activation and normalization where these are layers of their own), not where a dropout
            follows already, and never where only layers without kernels lie before the output.
        seed: Integer >= 0, or `None` for a random one. The dropout layers get `seed`, `seed + 1`,
            ... in order. Defaults to `None`.

    Returns:
        A new model of the same class, with copies of the old layers and weights and the same output
        in inference. If the old model is compiled, so is the new one, with fresh optimizer state.

    Raises:
        TypeError: If `model` is no Keras 3 model, or an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), the model is subclassed or not built, or `after`
            matches no layer, an output of the model, or what is inside a layer that is no model.

    Warns:
        UserWarning: Naming places inside a model that is called with `training=False`, where
            dropout does nothing.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import insert_dropout
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"),
    ...                           keras.layers.ReLU(name="relu"), keras.layers.Dense(2)])
    >>> [layer.name for layer in insert_dropout(model, rate=0.3).layers[:3]]
    ['hidden', 'relu', 'relu_dropout']
    """
    rate = fraction("rate", rate)
    if seed is not None and not is_integer(seed):
        raise bad_type("seed", "an integer >= 0 or None", seed)
    if seed is not None and seed < 0:
        raise bad_value("seed", "an integer >= 0 or None", seed)
    graph = Graph.of(model)
    places = automatic_places(graph) if after is None else named_places(graph, after)
    if not places:
        names = ", ".join(dict.fromkeys(node.path for node in graph.nodes))
        raise bad_value(
            "after",
            "the name of a layer",
            after,
            "The model has no pooling layer and no hidden Dense layer without dropout, so say "
            f"where it should go. Its layers are: {names}.",
        )
    idle = [node.path for node in places if never_trains(node)]
    if idle:
        warnings.warn(
            f"Dropout after {', '.join(idle)} does nothing: the model around it is called with "
            "`training=False`.",
            stacklevel=2,
        )
    for number, node in enumerate(places):
        layer = keras.layers.Dropout(
            rate,
            seed=None if seed is None else int(seed) + number,
            name=graph.unique_name(f"{node.layer.name}_dropout"),
            # As what it takes: a float32 dropout in a float16 model would cast.
            dtype=node.outputs[0].dtype,
        )
        graph.insert_after(node, layer)
    return graph.build()
