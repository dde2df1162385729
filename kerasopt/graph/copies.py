"""Fresh copies: a layer, operation, metric or optimizer like another, sharing no state with it."""

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import keras

from kerasopt import _keras
from kerasopt.selection import walk


def fresh(original: Any) -> Any:
    """Make a new object from the config of `original`, without its weights.

    The user's own classes and functions need not be registered, and a lambda in a layer is fine:
    the copy holds the very same function.

    Args:
        original: A layer, operation, metric, optimizer, regularizer or constraint.

    Returns:
        A new object of the same class.

    Raises:
        ValueError: If its class does not say, by its config, how to make it again.
    """
    if not isinstance(original, keras.layers.Layer) and isinstance(original, keras.Operation):
        return _keras.fresh_operation(original)
    inside = walk(original) if isinstance(original, keras.layers.Layer) else ()
    parts = [original, *(layer for _, layer in inside)]
    try:
        with _named(_functions(parts)) as functions:
            config = keras.saving.serialize_keras_object(original)
            # Weights come with the first call in the new graph, on the shapes it has there.
            config.pop("build_config", None)
            objects = {**_classes(parts), **functions}
            copy = keras.saving.deserialize_keras_object(config, custom_objects=objects)
    except Exception as error:
        # What Keras found wrong stands behind the whole config.
        why = str(error).rpartition("Exception encountered: ")[2]
        raise _cannot(original, f"Keras says: {why}") from error
    if type(copy) is not type(original):
        raise _cannot(original, f"Its config gives a {type(copy).__name__!r} instead.")
    return copy


def _is_theirs(thing: Any) -> bool:
    return not str(getattr(thing, "__module__", "")).startswith("keras.")


def _classes(parts: list[Any]) -> dict[str, Any]:
    """Give the user's classes among the parts and what these hold: an initializer, a schedule."""
    held = [
        value for part in parts for value in vars(part).values() if hasattr(value, "get_config")
    ]
    classes = {type(thing) for thing in (*parts, *held)}
    return {cls.__name__: cls for cls in classes if _is_theirs(cls)}


def _functions(parts: list[Any]) -> list[types.FunctionType]:
    """Give the user's functions that the parts hold: activations, what a Lambda computes."""
    return [
        value
        for part in parts
        for name, value in vars(part).items()
        # Keras hangs a wrapped `build` on every layer, which is a method and no argument.
        if isinstance(value, types.FunctionType)
        and _is_theirs(value)
        and not hasattr(type(part), name)
    ]


@contextlib.contextmanager
def _named(functions: list[types.FunctionType]) -> Iterator[dict[str, Any]]:
    """Give each function a name of its own for a moment, and the dict that finds it by that.

    A config holds a function by its name. A lambda has none, so Keras stores its bytecode, which
    loses every global it refers to; and two local functions may share one name.
    """
    names = [(function, function.__name__) for function in {id(f): f for f in functions}.values()]
    try:
        for number, (function, name) in enumerate(names):
            function.__name__ = f"{name.strip('<>')}_{number}"
        yield {function.__name__: function for function, _ in names}
    finally:
        for function, name in names:
            function.__name__ = name


def _cannot(original: Any, why: str) -> ValueError:
    kind = type(original).__name__
    name = getattr(original, "name", kind)
    return ValueError(
        f"Cannot copy {name!r} (a {kind!r}) from its config. A class of your own needs a "
        f"`get_config()` that returns every argument of its constructor. {why}"
    )
