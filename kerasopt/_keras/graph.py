"""Keras's insides: models, layers and the graph of their calls.

Every private name that is used stands here with its reason.
"""

from typing import Any, NamedTuple

import keras


def sublayers(layer: Any) -> list[Any]:
    """Give the layers directly inside `layer`, whatever kind it is, in the order Keras tracks them.

    Private: `Layer._flatten_layers`. The public `Model.layers` exists for models only, and a
    Bidirectional, a MultiHeadAttention or a user's own composite layer has no public equivalent.
    """
    return list(layer._flatten_layers(include_self=False, recursive=False))


def is_functional(model: Any) -> bool:
    """Tell whether `model` is built from a graph of layers (functional style, or a subclass of it).

    Private: the class `keras.src.models.functional.Functional`, reached without naming its module:
    Keras has no public name for it, and a Functional subclass may have any class of its own.
    """
    return isinstance(model, _FUNCTIONAL)


def _functional_class() -> type:
    tensor = keras.Input((1,))
    cls: type = type(keras.Model(tensor, tensor))
    return cls


_FUNCTIONAL = _functional_class()


class Call(NamedTuple):
    """One call of a layer or operation inside a model's graph.

    Attributes:
        operation: The layer, or the operation behind a `keras.ops` function.
        args: Its positional arguments, with symbolic tensors in them.
        kwargs: Its keyword arguments, likewise.
        outputs: Flat list of the symbolic tensors that came out.
    """

    operation: Any
    args: Any
    kwargs: Any
    outputs: list[Any]


def calls(model: Any) -> list[Call]:
    """Give every call in the graph of a Functional or built Sequential model, inputs first.

    Private: `Function._nodes_by_depth`, the `operation`, `arguments` and `outputs` of its nodes,
    and `Sequential._functional`. The only public way into the graph, `clone_model(call_function=)`,
    refuses Sequential models, copies while it reads, and cannot say who consumes a tensor. The
    order is the one in which Keras itself runs the graph.
    """
    graph = model._functional if isinstance(model, keras.Sequential) else model
    by_depth = graph._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return [
        Call(node.operation, node.arguments.args, node.arguments.kwargs, list(node.outputs))
        for node in nodes
    ]


def has_graph(model: Any) -> bool:
    """Tell whether `calls` can read `model`: functional, or Sequential and built as a chain.

    Private: `Sequential._functional`, which is None as long as Keras has not built the chain.
    """
    if isinstance(model, keras.Sequential):
        return model._functional is not None
    return is_functional(model)


def fresh_operation(operation: Any) -> Any:
    """Copy an operation that is no layer (the one behind `keras.ops.relu(x)`), outside any graph.

    Private: `Operation._inbound_nodes` and `_outbound_nodes`, which tie it to the calls it was used
    in. An operation holds no variables, so its attributes are all there is; its config is not, as
    many operations take arguments that no config can express.
    """
    copy = object.__new__(type(operation))
    copy.__dict__.update(vars(operation))
    copy._inbound_nodes = []
    copy._outbound_nodes = []
    return copy


# The operations behind `keras.ops.relu(x)` and its like. Private: the names of their classes.
ACTIVATIONS = (
    "Celu",
    "Elu",
    "Gelu",
    "HardSigmoid",
    "HardSilu",
    "HardTanh",
    "LeakyRelu",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softplus",
    "Tanh",
)


def operation_kind(operation: Any) -> str:
    """Give what a layer or operation does, by the name of its class: `"Add"`, `"Multiply"`.

    Private: the classes behind `x + y` and `keras.ops.add` have no public names; the layers that do
    the same have names of the same spelling.
    """
    return type(operation).__name__


def compile_arguments(model: Any) -> dict[str, Any]:
    """Give the arguments `model.compile` was called with, as the objects themselves.

    Private: `Trainer._compile_config`. The public `get_compile_config` gives their serialized form,
    from which a loss that is a user's own unregistered function cannot be made again.
    """
    return dict(model._compile_config.config)


def is_plain(model: Any) -> bool:
    """Tell whether a model's class is Keras's own Functional or Sequential, not a subclass."""
    return type(model) in (_FUNCTIONAL, keras.Sequential)


def calls_its_graph(model: Any) -> bool:
    """Tell whether a model with a graph computes that graph, and its class has no other `call`."""
    base = keras.Sequential if isinstance(model, keras.Sequential) else _FUNCTIONAL
    return getattr(type(model), "call", None) is getattr(base, "call", None)


def saves_its_layers(model: Any) -> bool:
    """Tell whether a model's config is made of the configs of its layers, each as it is now.

    So it is for Sequential models, and for Functional ones whose class can be given inputs and
    outputs; the config of any other class says how to call its constructor.
    """
    cls = type(model)
    if cls in (_FUNCTIONAL, keras.Sequential):
        return True
    if not (is_functional(model) or isinstance(model, keras.Sequential)):
        return False
    try:
        config = model.get_config()
    except (NotImplementedError, TypeError, ValueError):
        return False
    return "layers" in config


def set_in_attention(layer: Any, name: str, thing: Any) -> None:
    """Set the one `kernel_regularizer` or `kernel_constraint` of all kernels of an attention layer.

    Private: `MultiHeadAttention._kernel_regularizer` and `_kernel_constraint`, which have no public
    name after the constructor (GroupQueryAttention's have). Does nothing to a layer of another
    kind.
    """
    if isinstance(layer, keras.layers.GroupQueryAttention):
        setattr(layer, name, thing)
    elif isinstance(layer, keras.layers.MultiHeadAttention):
        setattr(layer, f"_{name}", thing)
