"""What a model subclass holds beside its graph: arguments, attributes, weights of its own."""

import inspect
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value, warn
from kerasopt.graph.state import carry_over, carry_variable
from kerasopt.selection import own_variables

_OF_THE_GRAPH = {"name", "trainable", "layers", "input_layers", "output_layers"}
_SIMPLE = (bool, int, float, str, type(None))


def construct(model: Any, **parts: Any) -> tuple[Any, str]:
    """Make a model of the same class around other parts, or else a plain one.

    As Keras does on loading, the constructor gets the parts and what else the model's config holds;
    an argument that no config holds is taken from the attribute of the same name. A class that
    builds its graph itself (as Keras's guide and every KerasHub backbone do) cannot be given
    another one.

    Args:
        model: The model that was read.
        **parts: `inputs` and `outputs`, or `layers`.

    Returns:
        The model, and why it is a plain Functional or Sequential one: `""` if it is of its class.

    Raises:
        ValueError: If it would be a plain one, and its class has a `call` that computes something
            else than its graph.
    """
    new, why = (None, "") if _keras.is_plain(model) else _of_its_class(model, parts)
    if new is None:
        if why and not _keras.calls_its_graph(model):
            raise bad_value(
                "model",
                "a model whose class takes another graph, or has no `call` of its own",
                model,
                f"The constructor of {type(model).__name__!r} does not ({why}), and its `call` may "
                "compute something else than the graph. Give it `__init__(self, *args, **kwargs)` "
                "that passes them on to `super().__init__`.",
            )
        new = _plain(model, parts)
    if new.dtype_policy.name != model.dtype_policy.name:
        # No config holds it: it was the global one then, and says whether the loss is scaled.
        new.dtype_policy = model.dtype_policy
    return new, why


def can_hold_another(model: Any) -> None:
    """Make sure that a model of this class, or a plain one in its place, can hold another graph.

    Raises:
        ValueError: If neither can, as `construct` would say.
    """
    if _keras.is_plain(model) or _keras.calls_its_graph(model):
        return
    if isinstance(model, keras.Sequential):
        construct(model, layers=model.layers)
    else:
        construct(model, inputs=model.inputs, outputs=model.outputs)


def _plain(model: Any, parts: dict[str, Any]) -> Any:
    cls = keras.Sequential if "layers" in parts else keras.Model
    return cls(**parts, name=model.name)


def _of_its_class(model: Any, parts: dict[str, Any]) -> tuple[Any, str]:
    """Give a model of the same class, or `None` and why there is none."""
    cls = type(model)
    signature = inspect.signature(cls.__init__)
    arguments = {**parts, "name": model.name}
    arguments.update(_further_arguments(model, signature))
    try:
        signature.bind(model, **arguments)
        new = cls(**arguments)
    except Exception as error:  # whatever a constructor says that did not expect these
        return None, f"{type(error).__name__}: {error}".splitlines()[0]
    if "layers" in parts:
        mine = [one for one in parts["layers"] if not isinstance(one, keras.layers.InputLayer)]
        its = new.layers
    else:
        mine, its = keras.tree.flatten(parts["outputs"]), keras.tree.flatten(new.outputs)
    if len(mine) != len(its) or any(a is not b for a, b in zip(mine, its, strict=True)):
        return None, "it makes other layers than those it is given"
    return new, ""


def lost_methods(model: Any) -> list[str]:
    """Name the methods that a class has of its own and a plain model would not have.

    Those that Keras calls in training, evaluation and prediction.
    """
    base = keras.Sequential if isinstance(model, keras.Sequential) else keras.Model
    return [
        name for name in _STEPS if getattr(type(model), name, None) is not getattr(base, name, None)
    ]


_STEPS = (
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "fit",
    "evaluate",
    "predict",
    "generate",
)


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
        warn(
            f"The rewritten model {old.name!r} lacks {', '.join(lost)}: set on the old model, but "
            f"not made by the constructor of {type(old).__name__!r}. Set them again."
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
