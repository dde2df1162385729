"""A part of a model that trains: what is set on it, the compiled model around it does not see."""

import gc
import weakref
from typing import Any

import keras

from kerasopt._checks import bad_value
from kerasopt.selection import walk


def check_whole(model: Any, what: str) -> None:
    """Make sure that `model` is no part of a compiled model that has trained or been evaluated.

    The compiled functions of such a model read the regularizers and constraints of its parts when
    they are traced, and never again; nothing leads from a part to the models around it, so they
    are looked for among all living objects.

    Args:
        model: The model or layer that the user named.
        what: Public name of the function, for the error.

    Raises:
        ValueError: Naming the model around it, which must be given instead.
    """
    found = _around(model)
    if not found:
        return
    # One that nobody can reach any more may still be waiting for the collector.
    del found
    gc.collect()
    found = _around(model)
    if found:
        parent = found[0]
        raise bad_value(
            "model",
            "the model that is trained as a whole",
            model,
            f"{model.name!r} is a part of the compiled model {parent.name!r}, whose compiled train "
            f"step would not see the change. Call `{what}` on {parent.name!r} and name the part: "
            f"`include={_path(parent, model)!r}`.",
        )


def _around(model: Any) -> list[Any]:
    # Weak references, so that the list itself keeps nothing alive.
    candidates = [
        weakref.ref(one)
        for one in gc.get_objects()
        if issubclass(type(one), keras.Model) and one is not model and _is_traced(one)
    ]
    models = [one for one in (reference() for reference in candidates) if one is not None]
    return [one for one in models if any(layer is model for _, layer in walk(one))]


def _is_traced(model: Any) -> bool:
    functions = ("train_function", "test_function")
    return any(vars(model).get(name) is not None for name in functions)


def _path(parent: Any, part: Any) -> str:
    return next(path for path, layer in walk(parent) if layer is part)
