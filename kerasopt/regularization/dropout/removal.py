"""Taking dropout out of a model that exists, or making plain dropout of a scheduled one."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasopt import selection
from kerasopt._core.checks import bad_value, verbosity, warn
from kerasopt._core.messages import tell
from kerasopt.graph import Graph, Node, Rewrite
from kerasopt.graph.copies import fresh
from kerasopt.graph.state import assign, carry_over
from kerasopt.regularization.dropout.kinds import ALL_DROPOUTS
from kerasopt.regularization.dropout.recurrent_dropout import clear_own_dropout, has_own_dropout
from kerasopt.regularization.layers import DropConnect, ScheduledDropout


def remove_dropout(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
    verbose: int = 0,
) -> Any:
    """Give a copy of a model without dropout, and with the same weights: undo `insert_dropout`.

    What goes is every layer of Keras's Dropout, AlphaDropout, GaussianDropout and SpatialDropout
    and of kerasopt's ScheduledDropout, DropBlock2D and StochasticDepth, at any depth, also in
    TimeDistributed; DropConnect gives back the layer inside it; and the `dropout` and
    `recurrent_dropout` of recurrent and attention layers become 0. The output in inference is the
    same. GaussianNoise and augmentation stay.

    Args:
        model: A built Functional or Sequential model, or a subclass of these, with models nested
            in it to any depth. It is not changed.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not, in the same forms; it wins over `include`. Defaults to `None`.
        verbose: `1` prints a line of what was removed, and which nested models were copied or are
            the same objects as before. Defaults to `0`.

    Returns:
        A new model of the same class, with copies of the other layers and weights. If the old model
        is compiled, so is the new one, with fresh optimizer state. Nested models in which nothing
        changes are the same objects, with the same weights as in the old one.

    Raises:
        TypeError: If `model` is no Keras 3 model, or a pick is of no known form.
        ValueError: If the model is subclassed or not built, or a pick matches no layer.

    Warns:
        UserWarning: Naming dropout layers that stay, because they give an output of the model
            (which would be renamed), or are inside another layer's own code.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import insert_dropout, remove_dropout
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"),
    ...                           keras.layers.Dense(2, name="top")])
    >>> [layer.name for layer in remove_dropout(insert_dropout(model, 0.3)).layers]
    ['hidden', 'top']
    """
    verbosity(verbose)
    graph = Graph.of(model)
    unwanted = selection.matching(model, "exclude", exclude)
    wanted = None if include is None else selection.matching(model, "include", include)

    def is_chosen(layer: Any) -> bool:
        return id(layer) not in unwanted and (wanted is None or id(layer) in wanted)

    seen: set[int] = set()
    stays = []
    for node in graph.nodes:
        if not is_chosen(node.layer):
            continue
        if isinstance(_inner(node.layer), ALL_DROPOUTS):
            if graph.is_output(node) or _is_all_of(node):
                stays.append(node.path)
            else:
                graph.remove(node)
        elif id(node.layer) in seen:
            continue
        elif isinstance(node.layer, DropConnect):
            _unwrap(graph, node)
        elif has_own_dropout(node.layer):
            clear_own_dropout(graph, node)
        else:
            stays += _inside(node, ALL_DROPOUTS, is_chosen)
        seen.add(id(node.layer))
    if stays:
        warn(
            f"Dropout stays in {', '.join(dict.fromkeys(stays))}: it gives an output of a model, "
            "or is made by another layer's own code."
        )
    return _built("remove_dropout", graph, verbose)


def freeze_dropout(
    model: Any,
    *,
    verbose: int = 0,
) -> Any:
    """Give a copy of a model in which each `ScheduledDropout` is a plain `keras.layers.Dropout`.

    It has the rate that the layer has now, and the same name and seed, so the copy loads
    without kerasopt and may be compiled, trained and exported like any other.

    Args:
        model: A built Functional or Sequential model, or a subclass of these, with models nested
            in it to any depth. It is not changed.
        verbose: `1` prints a line of what was changed, and which nested models were copied or are
            the same objects as before. Defaults to `0`.

    Returns:
        A new model of the same class, with copies of the other layers and weights and the same
        output in inference. If the old model is compiled, so is the new one, with fresh optimizer
        state. Nested models in which nothing changes are the same objects, with the same weights as
        in the old one.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If the model is subclassed or not built, or has no `ScheduledDropout` that can
            be replaced.

    Warns:
        UserWarning: Naming those that stay, as they are made inside another layer's own code.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import freeze_dropout, insert_dropout
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"),
    ...                           keras.layers.Dense(2)])
    >>> model = insert_dropout(model, 0.1, kind="scheduled")
    >>> model.get_layer("hidden_dropout").rate.assign(0.3)
    <...>
    >>> freeze_dropout(model).get_layer("hidden_dropout").rate
    0.3
    """
    verbosity(verbose)
    graph = Graph.of(model)
    nodes = {id(node.layer): node for node in graph.nodes}
    scheduled = {
        key: node for key, node in nodes.items() if isinstance(_inner(node.layer), ScheduledDropout)
    }
    stays = [path for node in nodes.values() for path in _inside(node, ScheduledDropout, bool)]
    if not scheduled:
        raise bad_value(
            "model",
            "a model with `kerasopt.layers.ScheduledDropout` layers",
            model,
            f"Those in {', '.join(stays)} are made by another layer's own code."
            if stays
            else 'It has none; `insert_dropout(model, rate, kind="scheduled")` puts them in.',
        )
    for node in scheduled.values():
        layer = _plain(_inner(node.layer))
        if isinstance(node.layer, keras.layers.TimeDistributed):
            layer = keras.layers.TimeDistributed(
                layer, name=node.layer.name, dtype=node.layer.dtype_policy
            )
        graph.replace(node, layer, transfer=_carry_seed)
    if stays:
        warn(
            f"ScheduledDropout stays in {', '.join(stays)}: it is made by another layer's own code."
        )
    return _built("freeze_dropout", graph, verbose)


def _built(who: str, graph: Graph, verbose: int) -> Any:
    new = graph.build()
    if verbose:
        tell(f"{who}: {Rewrite.of(new)}")
    return new


def _plain(old: Any) -> Any:
    return keras.layers.Dropout(
        _shortest(old.rate),
        noise_shape=old.noise_shape,
        seed=old.seed,
        name=old.name,
        dtype=old.dtype_policy,
    )


def _inner(layer: Any) -> Any:
    return layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer


def _is_all_of(node: Node) -> bool:
    """Tell whether a nested model would have no layer left."""
    layers = [one for one in node.level.nodes if not one.is_input]
    return bool(node.level.callers) and layers == [node]


def _inside(node: Node, kinds: Any, is_chosen: Callable[[Any], bool]) -> list[str]:
    """Name what stays inside a layer that is no model with a graph of its own."""
    if node.inner is not None or not isinstance(node.layer, keras.layers.Layer):
        return []
    if isinstance(_inner(node.layer), kinds):
        return []
    return [
        f"{node.path}/{path}"
        for path, layer in selection.walk(node.layer)
        if isinstance(layer, kinds) and is_chosen(layer) and _drops(layer)
    ]


def _drops(layer: Any) -> bool:
    """Tell whether a dropout is not one that attention has inside, at a rate of 0 by its config."""
    return not (isinstance(layer.rate, (int, float)) and layer.rate == 0)


def _unwrap(graph: Graph, node: Node) -> None:
    calls = graph.calls_of(node.layer)
    name = node.layer.name if any(map(graph.is_output, calls)) else node.layer.layer.name
    layer = fresh(node.layer.layer, change=lambda config: config.update(name=name))
    graph.replace(node, layer, transfer=lambda old, new: carry_over(old.layer, new))


def _carry_seed(old: Any, new: Any) -> None:
    old, new = _inner(old), _inner(new)
    assign(new.seed_generator.state, old.seed_generator.state)


def _shortest(rate: Any) -> float:
    """Give the shortest number that is the same as a float32: 0.3, not 0.30000001."""
    return float(np.format_float_positional(np.float32(keras.ops.convert_to_numpy(rate))))
