"""Compiled models that live in this process and share layers with the one the user named."""

import gc
import sys
import weakref
from typing import Any, ClassVar

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value
from kerasopt.selection import check_built, walk


def retrace_all(model: Any, variables: list[Any], evaluation: bool) -> None:
    """Let the next step of every living model that holds one of the variables see a change.

    A layer may be in several models, such as two heads on one encoder, the parts of a GAN, or a
    model made from another one's output. Nothing in Keras leads from a variable to the models that
    have it in a compiled function, so they are looked for among all living objects.

    Args:
        model: The model that the user named.
        variables: What has changed.
        evaluation: Whether `evaluate` is to see it too.
    """
    _keras.retrace(model, evaluation=evaluation)
    changed = {id(variable) for variable in variables}
    for other in _traced_models():
        if other is not model and any(id(v) in changed for v in other.variables):
            _keras.retrace(other, evaluation=evaluation)


def check_whole(model: Any, what: str) -> None:
    """Make sure that `model` is no mere part of a compiled model that has trained.

    A part that was compiled and has trained by itself is a whole, as the discriminator of a GAN.

    Args:
        model: The model or layer that the user named.
        what: Public name of the function, for the error.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is not built, or naming the model around it, which is to be given instead.
    """
    check_built(model)
    if _is_traced(model) or not _around(model):
        return
    # One that nobody can reach any more may still be waiting for the collector.
    gc.collect()
    found = _around(model)
    if found:
        parent = found[0]
        raise bad_value(
            "model",
            "the model that is trained as a whole",
            model,
            f"{model.name!r} is a part of the compiled model {parent.name!r}. Call `{what}` on "
            f"{parent.name!r} and name the part: `include={_path(parent, model)!r}`.",
        )


def _around(model: Any) -> list[Any]:
    return [
        one
        for one in _traced_models()
        if one is not model and any(layer is model for _, layer in walk(one))
    ]


def _traced_models() -> list[Any]:
    # Weak references, so that the list of all objects itself keeps nothing alive.
    found = [weakref.ref(one) for one in gc.get_objects() if _is_model(one)]
    living = (reference() for reference in [*found, *_frozen_models()])
    return list({id(one): one for one in living if one is not None and _is_traced(one)}.values())


def _is_model(thing: Any) -> bool:
    return issubclass(type(thing), keras.Model)


class _Frozen:
    """The models that were found after the last `gc.freeze`, and how many objects it froze."""

    count = 0
    models: ClassVar[list[weakref.ref[Any]]] = []


def _frozen_models() -> list[weakref.ref[Any]]:
    """Give the models that `gc.get_objects` may leave out, as `gc.freeze` was called.

    All that a program can reach is gone through, from its modules and running functions on. That
    takes about a second, so it is done once a freeze: the number of frozen objects only shrinks.
    """
    count = gc.get_freeze_count()
    if not 0 < count <= _Frozen.count:
        _Frozen.models = [weakref.ref(one) for one in _reachable_models()] if count else []
    _Frozen.count = count
    return _Frozen.models


def _reachable_models() -> list[Any]:
    found: list[Any] = []
    seen: set[int] = set()
    waiting: list[Any] = [sys.modules]
    for running in sys._current_frames().values():
        frame: Any = running
        while frame is not None:
            waiting += [frame.f_locals, frame.f_globals]
            frame = frame.f_back
    while waiting:
        inside = [one for one in gc.get_referents(*waiting) if gc.is_tracked(one)]
        waiting = []
        for one in inside:
            if id(one) not in seen:
                seen.add(id(one))
                waiting.append(one)
                if _is_model(one):
                    found.append(one)
    return found


def _is_traced(model: Any) -> bool:
    functions = ("train_function", "test_function")
    return any(vars(model).get(name) is not None for name in functions)


def _path(parent: Any, part: Any) -> str:
    return next(path for path, layer in walk(parent) if layer is part)
