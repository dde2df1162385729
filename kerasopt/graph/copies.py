"""Fresh copies: a layer, operation, metric or optimizer like another, sharing no state with it."""

import contextlib
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras

from kerasopt import _keras
from kerasopt.selection import walk


def fresh(
    original: Any,
    shared: Sequence[tuple[Any, Any]] = (),
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Any:
    """Make a new object from the config of `original`, without its weights.

    The user's own classes and functions need not be registered, and a lambda in a layer is fine:
    the copy holds the very same function.

    Args:
        original: A layer, operation, metric, optimizer, regularizer or constraint.
        shared: Pairs of a layer inside it and what the copy holds in that place, unchanged.
        change: Function that edits the config, a dict of plain data, in place; of an operation, the
            dict of its attributes. Defaults to `None`.

    Returns:
        A new object of the same class.

    Raises:
        ValueError: If its class does not say, by its config, how to make it again.
    """
    if not isinstance(original, keras.layers.Layer) and isinstance(original, keras.Operation):
        operation = _keras.fresh_operation(original)
        if change is not None:
            change(vars(operation))
        return operation
    inside = walk(original) if isinstance(original, keras.layers.Layer) else ()
    parts = [original, *(layer for _, layer in inside)]
    try:
        with _named(_functions(parts)) as functions:
            config = keras.saving.serialize_keras_object(original)
            # Weights come with the first call in the new graph, on the shapes it has there.
            config.pop("build_config", None)
            if change is not None:
                _without_builds(config["config"])
                change(config["config"])
            objects = {**_classes(parts), **functions}
            for number, (part, place) in enumerate(shared):
                objects[f"_Shared_{number}"] = _finding(place)
                _point(config, keras.saving.serialize_keras_object(part), f"_Shared_{number}")
            with _policy_of(original, config):
                copy = keras.saving.deserialize_keras_object(config, custom_objects=objects)
    except Exception as error:
        # What Keras found wrong stands behind the whole config.
        why = str(error).rpartition("Exception encountered: ")[2]
        raise _cannot(original, f"Keras says: {why}") from error
    if type(copy) is not type(original):
        raise _cannot(original, f"Its config gives a {type(copy).__name__!r} instead.")
    held = {id(layer) for _, layer in walk(copy)} if shared else set()
    for part, place in shared:
        if id(place) not in held:
            raise _cannot(original, f"It does not give {part.name!r}, which others use too.")
    forgotten = _forgotten(original, copy, config["config"]) if change is None else []
    if forgotten:
        names = ", ".join(f"`{name}`" for name in forgotten)
        raise _cannot(original, f"Its config lacks {names}, and the copy has another value.")
    if isinstance(original, keras.layers.Layer) and "name" not in config["config"]:
        copy.name = original.name
    return copy


def _forgotten(original: Any, copy: Any, config: dict[str, Any]) -> list[str]:
    """Name the constructor's arguments that no config holds, where the copy has another value."""
    if not _is_theirs(type(original)):
        return []
    mine, its = vars(original), vars(copy)
    return [
        name
        for name in inspect.signature(type(original).__init__).parameters
        if name not in config
        and name != "name"  # it is given to the copy
        and isinstance(mine.get(name), _SIMPLE)
        and isinstance(its.get(name, ""), _SIMPLE)
        and name in mine
        and mine[name] != its.get(name)
    ]


_SIMPLE = (bool, int, float, str)


def _without_builds(config: Any) -> None:
    """Take the shapes out on which layers inside a layer were built: they may have others now."""
    if isinstance(config, dict):
        config.pop("build_config", None)
        config = config.values()
    if not isinstance(config, str) and isinstance(config, Iterable):
        for value in config:
            _without_builds(value)


def _finding(thing: Any) -> type:
    """Make a class that is `thing` whenever Keras makes an object of it from a config."""

    def from_config(_config: Any) -> Any:
        return thing

    return type("_Shared", (), {"from_config": staticmethod(from_config)})


def _point(config: Any, part: dict[str, Any], name: str) -> None:
    """Let the config of `part`, wherever it stands in `config`, name the class `name` instead."""
    if isinstance(config, dict):
        if all(config.get(key) == part[key] for key in ("module", "class_name", "config")):
            config.update(module=None, class_name=name, registered_name=name, config={})
            config.pop("build_config", None)
            return
        config = config.values()
    if not isinstance(config, str) and isinstance(config, Iterable):
        for value in config:
            _point(value, part, name)


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
def _policy_of(original: Any, config: dict[str, Any]) -> Iterator[None]:
    """Let a layer whose config lacks its policy have it, and what it makes inside itself too."""
    before = keras.config.dtype_policy()
    if isinstance(original, keras.layers.Layer) and "dtype" not in config["config"]:
        keras.config.set_dtype_policy(original.dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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
