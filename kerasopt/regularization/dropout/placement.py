"""Where in a graph a dropout belongs."""

from typing import Any

import keras

from kerasopt import _keras, selection
from kerasopt._core.checks import bad_value
from kerasopt.graph import Graph, Node, Port
from kerasopt.graph.node import ports
from kerasopt.regularization.dropout.kinds import ALL_DROPOUTS, Make
from kerasopt.regularization.dropout.recurrent_dropout import is_recurrent
from kerasopt.selection import has_kernel

_NOISES = (*ALL_DROPOUTS, keras.layers.GaussianNoise)
_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
POOLINGS = tuple(
    getattr(keras.layers, f"{kind}Pooling{axes}D")
    for kind in ("Average", "Max", "GlobalAverage", "GlobalMax")
    for axes in (1, 2, 3)
)
# What belongs to the layer before it: the dropout comes after these.
_COMPLETING = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.ELU,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Softmax,
)
# What moves numbers without changing them: a dropout behind it is a dropout before it.
_MOVING = (
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Reshape,
)


def automatic_places(graph: Graph, kind: str | Make) -> list[Node]:
    """Give the calls behind which a kind of dropout is usual, in order.

    These are every pooling layer that makes the map smaller (not those that keep its size in a
    branch, nor those of squeeze-and-excitation), every hidden Dense layer and every hidden
    recurrent layer, past the activation and normalization that follow it as layers of their own; of
    stacked recurrent layers the last. For `"drop_block"` these are the hidden 2D convolutions
    instead, and for `"stochastic_depth"` the ends of the residual branches.

    Hidden means that every way from it to an output of the model still meets a layer with a kernel:
    what is left out is the output layer, also where a Softmax, Reshape or Add comes behind it.
    Places that have a dropout already, or lead straight into one, are left out too, as is what
    never trains: the inside of a model that is called with `training=False`.

    Args:
        graph: The graph of a model.
        kind: What `kinds.checked_kind` gave.
    """
    if kind == "stochastic_depth":
        ends = [node for node in branch_ends(graph) if not never_trains(node)]
        return [node for node in ends if not isinstance(node.layer, _NOISES)]
    completed = _CONVOLUTIONS if kind == "drop_block" else (keras.layers.Dense,)
    direct = () if kind == "drop_block" else POOLINGS
    places: list[Node] = []
    final: dict[int, bool] = {}
    for node in graph.nodes:
        recurrent = is_recurrent(node.layer) and kind != "drop_block"
        if never_trains(node) or not (recurrent or isinstance(node.layer, (*completed, *direct))):
            continue
        if isinstance(node.layer, POOLINGS) and not _shrinks(graph, node):
            continue
        if kind == "drop_block" and node.outputs[0].shape[1:3] == (1, 1):
            continue
        place = node if isinstance(node.layer, direct) else _end(graph, node)
        known = any(place is one for one in places)
        stacked = recurrent and any(is_recurrent(one.layer) for one in graph.followers(place))
        if known or stacked or _is_final(graph, place, final) or has_dropout(graph, place):
            continue
        places.append(place)
    return places


def _shrinks(graph: Graph, node: Node) -> bool:
    """Tell whether what a pooling gives goes on in place of what it took."""
    given, made = node.inputs[0], node.outputs[0]
    same_rank = len(given.shape) == len(made.shape)
    if same_rank and set(getattr(node.layer, "strides", (2,))) == {1}:
        return False
    # Squeeze-and-excitation: the map itself is multiplied by what was made of its mean.
    consumers = node.level.consumers(given)
    products = [one for one in consumers if _keras.operation_kind(one.layer) == "Multiply"]
    return not any(_leads_to(graph, node, product) for product in products)


def _leads_to(graph: Graph, node: Node, end: Node) -> bool:
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one is end:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            waiting += graph.consumers(one)
    return False


def named_places(graph: Graph, after: Any, kind: str | Make) -> list[Node]:
    """Give the calls of the layers that `after` names, in order.

    Args:
        graph: The graph of a model.
        after: As in `kerasopt.selection.matching`. A nested model that is named counts as one
            layer: what is inside it does not.
        kind: What `kinds.checked_kind` gave.

    Raises:
        TypeError: If `after` is of no known form.
        ValueError: If it matches nothing, an output of the model, no layer of the graph, or one
            behind which the kind makes no sense.
    """
    wanted = selection.matching(graph.model, "after", after)
    inside: set[int] = set()
    paths: dict[int, str] = {}
    for path, layer in selection.walk(graph.model):
        paths[id(layer)] = path
        if id(layer) in wanted:
            inside.update(id(sub) for _, sub in selection.walk(layer))
    outermost = wanted - inside
    nodes = [node for node in graph.nodes if id(node.layer) in outermost]
    missing = outermost - {id(node.layer) for node in nodes}
    if missing:
        names = ", ".join(path for key, path in paths.items() if key in missing)
        raise bad_value(
            "after",
            "layers that the model's graph calls",
            after,
            f"These are called inside another layer, where nothing can be put: {names}. Name the "
            "layer around them.",
        )
    unnamed = [node for node in nodes if not _is_named(node, after)]
    integers = [node for node in nodes if "float" not in node.outputs[0].dtype]
    exact = [node.path for node in integers if node not in unnamed]
    if exact or (nodes and len(integers) == len(nodes)):
        wrong = ", ".join(dict.fromkeys(exact or [node.path for node in integers]))
        raise bad_value(
            "after",
            "layers that give floats",
            after,
            f"Dropout scales numbers, and {wrong} gives integers or truth values.",
        )
    # Of many that match, what the model is given and what it gives are left out.
    nodes = [n for n in nodes if n not in integers and not (n.is_input and n in unnamed)]
    outputs = [node for node in nodes if graph.is_output(node)]
    named = [node for node in outputs if _is_named(node, after)]
    if named or (outputs and len(outputs) == len(nodes)):
        paths_of = ", ".join(dict.fromkeys(node.path for node in named or outputs))
        raise bad_value(
            "after",
            "layers inside the model",
            after,
            f"{paths_of}: this is an output of the model, and dropping parts of the answer is no "
            "regularization. Name the layer before it.",
        )
    nodes = [node for node in nodes if not graph.is_output(node)]
    if not nodes:
        expected = "at least one layer inside the model, or None"
        raise bad_value("after", expected, after, "It names none.")
    _check_kind(graph, nodes, after, kind)
    return nodes


def _is_named(node: Node, after: Any) -> bool:
    """Tell whether a layer is named as itself, not as one of several that match."""
    return any(
        pick is node.layer or (isinstance(pick, str) and pick in (node.layer.name, node.path))
        for pick in selection.check_picks("after", after)
    )


def _check_kind(graph: Graph, nodes: list[Node], after: Any, kind: str | Make) -> None:
    if kind == "drop_block":
        wrong = [node.path for node in nodes if len(node.outputs[0].shape) != 4]
        expected, why = "layers that give feature maps of four axes", "have no blocks to drop"
    elif kind == "stochastic_depth":
        ends = branch_ends(graph)
        wrong = [node.path for node in nodes if not any(node is end for end in ends)]
        expected = "layers at the end of residual branches"
        known = ", ".join(end.path for end in ends) or "none"
        why = f"are none, and without them nothing would get through. The model has: {known}"
    else:
        return
    if wrong:
        raise bad_value("after", expected, after, f"{', '.join(dict.fromkeys(wrong))} {why}.")


def never_trains(node: Node) -> bool:
    """Tell whether `node` is inside a model that is only ever called with `training=False`."""
    callers = node.level.callers
    return bool(callers) and all(
        caller.kwargs.get("training") is False or never_trains(caller) for caller in callers
    )


def _end(graph: Graph, node: Node) -> Node:
    """Follow the activation and normalization that complete a layer."""
    while not graph.is_output(node):
        followers = graph.followers(node)
        if len(followers) != 1 or not _completes(followers[0]):
            break
        node = followers[0]
    return node


def _completes(node: Node) -> bool:
    is_layer = isinstance(node.layer, keras.layers.Layer)
    kind = _keras.operation_kind(node.layer)
    return isinstance(node.layer, _COMPLETING) or (not is_layer and kind in _keras.ACTIVATIONS)


def _is_final(graph: Graph, node: Node, known: dict[int, bool]) -> bool:
    """Tell whether some way from `node` to an output of the model meets no layer with a kernel."""
    if id(node) not in known:  # many ways may lead through one place
        known[id(node)] = graph.is_output(node) or any(
            not selection.has_kernel(one.layer) and _is_final(graph, one, known)
            for one in graph.followers(node)
        )
    return known[id(node)]


def has_dropout(graph: Graph, node: Node) -> bool:
    """Tell whether a dropout follows at once, or behind what only moves numbers."""
    return any(
        isinstance(one.layer, _NOISES)
        or (isinstance(one.layer, _MOVING) and has_dropout(graph, one))
        for one in graph.followers(node)
    )


def follows_dropout(graph: Graph, node: Node) -> bool:
    """Tell whether what a call takes comes from a dropout, perhaps moved only."""
    before = [one for one in graph.nodes if any(f is node for f in graph.followers(one))]
    return any(
        isinstance(one.layer, _NOISES)
        or (isinstance(one.layer, _MOVING) and follows_dropout(graph, one))
        for one in before
    )


def leads_to_dropout(graph: Graph, node: Node) -> bool:
    """Tell whether a dropout already takes what a call gives, perhaps moved only."""
    return any(
        isinstance(one.layer, _NOISES)
        or (isinstance(one.layer, _MOVING) and leads_to_dropout(graph, one))
        for one in graph.followers(node)
    )


def branch_ends(graph: Graph) -> list[Node]:
    """Give the last call of each residual branch, in order.

    A branch is one of two summands that come from one tensor, and whose other one, the shortcut,
    meets at most one layer with a kernel on the way (a projection) and fewer than the branch does
    (He et al., 2016, "Deep Residual Learning for Image Recognition").

    Args:
        graph: The graph of a model.
    """
    ends: list[Node] = []
    for node in graph.nodes:
        # The layer, and the operation behind `x + y`.
        if _keras.operation_kind(node.layer) != "Add" or len(node.inputs) != 2:
            continue
        end = _branch(*node.inputs)
        if end is None or len(end.outputs) != 1 or graph.is_output(end):
            continue
        if len(graph.consumers(end)) == 1:  # nobody but the sum
            ends.append(end)
    return ends


def _branch(one: Port, other: Port) -> Node | None:
    before, before_other = _ancestors(one.node), _ancestors(other.node)
    if not before.keys() & before_other.keys():
        return None
    own = [node for key, node in before.items() if key not in before_other]
    own_other = [node for key, node in before_other.items() if key not in before]
    counts = [sum(has_kernel(node.layer) for node in nodes) for nodes in (own, own_other)]
    if min(counts) > 1 or counts[0] == counts[1]:
        return None
    return one.node if counts[0] > counts[1] else other.node


def _ancestors(node: Node) -> dict[int, Node]:
    """Give the calls on the ways to a call in its own model, itself included."""
    found: dict[int, Node] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += [port.node for port in ports((one.args, one.kwargs))]
    return found
