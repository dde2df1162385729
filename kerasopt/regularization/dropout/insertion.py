"""Putting dropout into a model that exists."""

from typing import Any

from kerasopt._core.checks import bad_value, fraction, verbosity, warn
from kerasopt._core.messages import tell
from kerasopt.graph import Graph, Node, Rewrite
from kerasopt.regularization.dropout.kinds import SUFFIXES, Make, checked_kind, make_layer
from kerasopt.regularization.dropout.placement import (
    automatic_places,
    follows_dropout,
    leads_to_dropout,
    named_places,
    never_trains,
)
from kerasopt.regularization.dropout.recurrent_dropout import is_recurrent, set_recurrent
from kerasopt.regularization.layers.random_layer import checked_seed

_WHERE = {
    "drop_block": "no hidden 2D convolution that trains and has no dropout",
    "stochastic_depth": "no residual branch that trains and does not end in a dropout",
}


def insert_dropout(
    model: Any,
    rate: float,
    *,
    after: Any = None,
    kind: Any = "auto",
    seed: int | None = None,
    verbose: int = 0,
) -> Any:
    r"""Give a copy of a model with dropout in it, and with the same weights.

    In training each number behind the chosen layers is zero with probability `rate`, and else
    divided by `1 - rate`, so that its mean stays; in inference nothing changes
    (Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting").
    The new layers are named `<layer>_dropout`, `<layer>_spatial_dropout` and so on. Those of
    Keras load without kerasopt; a model with `DropBlock2D`, `StochasticDepth` or
    `ScheduledDropout` loads by `kerasopt.load_model`.

    | `kind` | layer | where `after` is `None` |
    |---|---|---|
    | `"auto"` | `Dropout`; `AlphaDropout` behind a selu | pooling, hidden Dense, RNN |
    | `"dropout"` | `Dropout` | the same |
    | `"spatial_dropout"` | `SpatialDropout1D` to `3D` by rank (`Dropout` if 2) | the same |
    | `"alpha_dropout"`, `"gaussian_dropout"` | `AlphaDropout`, `GaussianDropout` | the same |
    | `"scheduled"` | `ScheduledDropout`, whose rate `callbacks.DropoutSchedule` sets | the same |
    | `"drop_block"` | `DropBlock2D` with blocks of 7 x 7 | hidden 2D convolutions |
    | `"stochastic_depth"` | `StochasticDepth`, per sample | the ends of residual branches |

    The places of `after=None`:
    - a CNN: behind every pooling layer that makes the map smaller, global ones too (not within
      squeeze-and-excitation);
    - an MLP, or the head of any model: behind every hidden Dense layer, past its activation and
      normalization where these are layers of their own;
    - an RNN: behind the last of stacked recurrent layers. With `"auto"` and `"dropout"` every
      Keras RNN (LSTM, GRU, SimpleRNN, ConvLSTM, also in Bidirectional or with cells) also gets
      `dropout` and `recurrent_dropout` in its config, where these are 0: the same mask at every
      time step (Gal & Ghahramani, 2016, "A Theoretically Grounded Application of Dropout in
      Recurrent Neural Networks"). `recurrent_dropout` rules out cuDNN's kernel on a GPU;
    - with `"stochastic_depth"` the rate grows linearly along the branches from `rate / n` to `rate`
      at the last of `n` (Huang et al., 2016, "Deep Networks with Stochastic Depth").

    No dropout goes where one follows already, nor where only layers without kernels lie before the
    output, nor behind an output.

    Args:
        model: A built Functional or Sequential model, or a subclass of these, with models nested
            in it to any depth. It is not changed.
        rate: Float in [0, 1): the share of numbers (or blocks, or branches) to drop.
        after: Behind which layers, at any depth: names or paths (shell wildcards allowed), compiled
            regular expressions, layer classes, layers, functions `layer -> bool`, or a list of
            these. A nested model counts as one layer if it is named itself. A layer that is called
            several times gets one dropout a call, one with several outputs on the first of them.
            Of many that match, inputs and outputs of the model and what gives integers are left
            out. Defaults to `None`, or `"auto"`: the usual places
            above.
        kind: One of the names above, the class of a layer with that meaning, or your own class or
            function, called as `kind(rate, seed=..., name=..., dtype=...)`. Defaults to `"auto"`.
        seed: Integer >= 0, or `None` for a random one. The new layers get `seed`, `seed + 1`, ...
            in order. Defaults to `None`.
        verbose: `1` prints a line of what was inserted, and which nested models were copied or are
            the same objects as before. Defaults to `0`.

    Returns:
        A new model of the same class, with copies of the old layers and weights and the same output
        in inference. If the old model is compiled, so is the new one, with fresh optimizer state.
        Nested models into which nothing was put are the same objects, so that
        `base.trainable = True` acts on the new model, and have the same weights as in the old one.
        `kerasopt.graph.Rewrite.of` the new model says what was done.

    Raises:
        TypeError: If `model` is no Keras 3 model, or an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), the kind is unknown, the model is subclassed or not
            built, or `after` matches no layer, names an output of the model or what is inside a
            layer that is no model, or a place where the kind makes no sense.

    Warns:
        UserWarning: Naming places inside a model that is called with `training=False`, where
            dropout does nothing; places where a dropout is already; nested models that had to be
            copied and are partly frozen; or models whose class cannot hold another graph, in whose
            place plain Functional ones are.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import insert_dropout
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"),
    ...                           keras.layers.ReLU(name="relu"), keras.layers.Dense(2)])
    >>> [layer.name for layer in insert_dropout(model, rate=0.3).layers[:3]]
    ['hidden', 'relu', 'relu_dropout']
    """
    verbosity(verbose)
    rate = fraction("rate", rate)
    kind = checked_kind(kind)
    seed = checked_seed(seed)
    graph = Graph.of(model)
    automatic = after is None or after == "auto"
    places = automatic_places(graph, kind) if automatic else named_places(graph, after, kind)
    recurrent = _recurrent(graph, kind) if automatic else []
    idle = [node.path for node in places if never_trains(node)]
    twice = dict.fromkeys(node.path for node in places if leads_to_dropout(graph, node))
    for number, node in enumerate(places):
        name = f"{node.layer.name}_{SUFFIXES[kind] if isinstance(kind, str) else 'dropout'}"
        its_rate = rate
        if kind == "stochastic_depth" and automatic:
            its_rate = rate * (number + 1) / len(places)
        its_seed = None if seed is None else seed + number
        layer = make_layer(kind, node, its_rate, its_seed, graph.unique_name(name))
        graph.insert_after(node, layer)
    changed = [
        set_recurrent(
            graph, node, rate, None if seed is None else seed + len(places) + number, inputs
        )
        for number, (node, inputs) in enumerate(recurrent)
    ]
    if not places and not any(changed):
        raise _no_place(graph, after, kind)
    if twice:
        warn(
            f"Dropout goes behind {', '.join(twice)} a second time: of what the first leaves, the "
            "other drops its share again. `remove_dropout` takes the old one out."
        )
    if idle:
        warn(
            f"Dropout after {', '.join(idle)} does nothing: the model around it is called with "
            "`training=False`."
        )
    new = graph.build()
    if verbose:
        tell(f"insert_dropout: {Rewrite.of(new)}")
    return new


def _recurrent(graph: Graph, kind: str | Make) -> list[tuple[Node, bool]]:
    """Give a call of each recurrent layer that trains, and whether its inputs may be dropped."""
    if kind not in ("auto", "dropout"):
        return []
    nodes = {id(n.layer): n for n in graph.nodes if is_recurrent(n.layer) and not never_trains(n)}
    return [(node, not follows_dropout(graph, node)) for node in nodes.values()]


def _no_place(graph: Graph, after: Any, kind: str | Make) -> ValueError:
    where = (
        "no pooling layer, no hidden Dense layer and no recurrent layer that trains and has no "
        "dropout"
    )
    if isinstance(kind, str):
        where = _WHERE.get(kind, where)
    names = ", ".join(dict.fromkeys(node.path for node in graph.nodes))
    return bad_value(
        "after",
        "the name of a layer",
        after,
        f"The model has {where}, so say where it should go. Its layers are: {names}.",
    )
