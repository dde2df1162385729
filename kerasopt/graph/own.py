"""What a model subclass holds beside its graph: arguments, attributes, weights of its own."""

import inspect
import warnings
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._checks import bad_value
from kerasopt.graph.state import carry_over, carry_variable
from kerasopt.selection import own_variables

_OF_THE_GRAPH = {"name", "trainable", "layers", "input_layers", "output_layers"}
_SIMPLE = (bool, int, float, str, type(None))


def construct(model: Any, **parts: Any) -> Any:
    """Make a model of the same class around other parts.

    As Keras does on loading, the constructor gets the parts and what else the model's config holds;
    an argument that no config holds is taken from the attribute of the same name.

    Args:
        model: The model that was read.
        **parts: `inputs` and `outputs`, or `layers`.

    Raises:
        ValueError: If the class builds its graph itself, so that it cannot be given another one.
    """
    cls = type(model)
    signature = inspect.signature(cls.__init__)
    arguments = {**parts, "name": model.name}
    if not _keras.is_plain(model):
        arguments.update(_further_arguments(model, signature))
    try:
        signature.bind(model, **arguments)
    except TypeError as error:
        wanted = " and ".join(f"`{name}`" for name in parts)
        raise bad_value(
            "model",
            f"a model whose class takes {wanted}",
            model,
            f"The constructor of {cls.__name__!r} does not ({error}), so a changed graph cannot be "
            "put into it. Give it `__init__(self, *args, **kwargs)` that passes them on to "
            "`super().__init__`, or rewrite `keras.Model(model.inputs, model.outputs)`, which has "
            "the same layers but not the class.",
        ) from error
    new = cls(**arguments)
    if new.dtype_policy.name != model.dtype_policy.name:
        # No config holds it: it was the global one then, and says whether the loss is scaled.
        new.dtype_policy = model.dtype_policy
    return new


def _further_arguments(model: Any, signature: inspect.Signature) -> dict[str, Any]:
    parameters = signature.parameters.values()
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    try:
        config = model.get_config()
    except NotImplementedError:
        config = {}
    known = {"inputs", "outputs", *_OF_THE_GRAPH}
    # A Sequential's config holds the shape it was built on, which is no argument.
    known.add("build_input_shape")
    arguments = {k: v for k, v in config.items() if k not in known and k != "dtype"}
    if not anything:
        arguments = {k: v for k, v in arguments.items() if k in signature.parameters}
    for parameter in parameters:
        named = parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        name = parameter.name
        if named and name not in known and name not in arguments and name in vars(model):
            arguments[name] = getattr(model, name)
    return arguments


def carry_own(old: Any, new: Any, copies: dict[int, Any]) -> None:
    """Carry over what `old`, an instance of a model subclass, holds beside its graph.

    Plain attributes and those that name a layer of the graph are set on `new`; own weights and
    layers outside the graph get the old values where the constructor of the class makes them.

    Args:
        old: The model that was read.
        new: Its copy.
        copies: Id of an old layer of the graph -> its copy.

    Warns:
        UserWarning: Naming what the class did not make and so is not there.
    """
    lost = []
    for name, value in vars(old).items():
        if name in _BASE_ATTRIBUTES:
            continue
        if id(value) in copies:
            setattr(new, name, copies[id(value)])
        elif isinstance(value, _SIMPLE) and (name not in vars(new) or vars(new)[name] != value):
            setattr(new, name, value)
    in_graph = {id(call.operation) for call in _keras.calls(old)}
    for layer in _keras.sublayers(old):
        if (
            id(layer) in in_graph
            or id(layer) in copies
            or isinstance(layer, keras.layers.InputLayer)
        ):
            continue
        name = next((name for name, value in vars(old).items() if value is layer), layer.name)
        other = vars(new).get(name)
        if not isinstance(other, keras.layers.Layer):
            lost.append(name)
        elif layer.built:
            if not other.built:
                other.build_from_config(layer.get_build_config())
            carry_over(layer, other)
    mine, its = _own_weights(old), _own_weights(new)
    if [tuple(v.shape) for v in mine] == [tuple(v.shape) for v in its]:
        for variable, copy in zip(mine, its, strict=True):
            carry_variable(variable, copy)
    else:
        lost += [v.name for v in mine]
    if lost:
        warnings.warn(
            f"The rewritten model {old.name!r} lacks {', '.join(lost)}: set on the old model, but "
            f"not made by the constructor of {type(old).__name__!r}. Set them again.",
            stacklevel=5,
        )


def _own_weights(model: Any) -> list[Any]:
    weights = {id(v) for v in model.weights}
    return [v for v in own_variables(model) if id(v) in weights]


def _base_attributes() -> set[str]:
    tensor = keras.Input((1,))
    names: set[str] = set()
    for model in (keras.Model(tensor, tensor), keras.Sequential([tensor, keras.layers.Flatten()])):
        model.compile()
        names.update(vars(model))
    return names


_BASE_ATTRIBUTES = _base_attributes()
