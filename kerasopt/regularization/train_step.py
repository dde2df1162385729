"""Whether a model's own `train_step` trains with the model's losses, penalties among them."""

import inspect
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

import keras

_READS = {
    "losses",
    "compute_loss",
    "_compute_loss",
    "compute_loss_and_updates",
    "stateless_compute_loss",
    "train_step",  # of the class above, or of a part
    "train_on_batch",
}
_DEEPEST = 3  # values inside values that are looked through
_LIBRARIES = ("keras", "tensorflow", "numpy", "jax", "torch", "builtins")


def ignores_losses(model: Any) -> bool:
    """Tell whether the `train_step` of a model's class certainly reads no `losses`.

    Its code is looked through, and that of the methods and functions that it calls, for the names
    `losses` and `compute_loss`. Where something cannot be looked into, the answer is no.

    Args:
        model: A model of any style.

    Example:
    >>> import keras
    >>> class Own(keras.Model):
    ...     def train_step(self, data):
    ...         x, y = data
    ...         return {"loss": keras.ops.mean((self(x) - y) ** 2)}
    >>> ignores_losses(Own()), ignores_losses(keras.Model())
    (True, False)
    """
    cls = type(model)
    step = getattr(cls, "train_step", None)
    if step is None or _is_of_a_library(step):
        return False
    waiting, seen = [step], set()
    while waiting:
        function = inspect.unwrap(waiting.pop())
        function = getattr(function, "python_function", function)  # of `tf.function`
        code = getattr(function, "__code__", None)
        if code is None:
            return False
        if code in seen:
            continue
        seen.add(code)
        names = set(_names(code))
        if names & _READS:
            return False
        cells = zip(code.co_freevars, function.__closure__ or (), strict=False)
        around = {**function.__globals__, **{name: _inside(cell) for name, cell in cells}}
        for name in names:
            # What a class overrides may be called by `super()`.
            found = [vars(base).get(name) for base in cls.__mro__]
            found += [vars(model).get(name)]
            if not any(around.get(name) is base for base in cls.__mro__):
                found.append(around.get(name))
            functions = _all_functions(found, names)
            if functions is None:
                return False
            waiting += functions
    return True


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
        elif isinstance(constant, str):  # of `getattr`
            yield constant


def _inside(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _functions(thing: Any, names: set[str], depth: int = 0) -> list[Any] | None:
    """Give the functions that code may call of a value that it names.

    Args:
        thing: The value.
        names: All names in the code, of which some are attributes of the value.
        depth: How far it is inside other values.

    Returns:
        Functions of the user's, or `None` where these cannot be told.
    """
    if isinstance(thing, property):
        thing = thing.fget
    if isinstance(thing, (staticmethod, classmethod)):
        thing = thing.__func__
    if thing is None or isinstance(thing, (bool, int, float, str, bytes)):
        return []
    if depth > _DEEPEST:
        return None
    if isinstance(thing, (dict, list, tuple, set)):
        parts = thing.values() if isinstance(thing, dict) else thing
        return _all_functions(parts, names, depth + 1)
    if _is_of_a_library(thing):
        return []
    if isinstance(thing, (types.ModuleType, keras.layers.Layer)):
        is_layer = isinstance(thing, keras.layers.Layer)
        holders = [thing, *type(thing).__mro__] if is_layer else [thing]
        parts = [vars(holder).get(name) for holder in holders for name in names]
        return _all_functions(parts, names, depth + 1)
    if isinstance(thing, type):
        own = (cls for cls in thing.__mro__ if not _is_of_a_library(cls))
        return _all_functions((one for cls in own for one in vars(cls).values()), names, depth + 1)
    function = getattr(thing, "__func__", thing)
    return [function] if callable(function) else None


def _all_functions(things: Iterable[Any], names: set[str], depth: int = 0) -> list[Any] | None:
    found: list[Any] = []
    for thing in things:
        functions = _functions(thing, names, depth)
        if functions is None:
            return None
        found += functions
    return found


def _is_of_a_library(thing: Any) -> bool:
    """Tell whether a value comes from Keras and the like, which read no losses by themselves."""
    if isinstance(thing, types.ModuleType):
        module = thing.__name__
    else:
        module = getattr(thing, "__module__", None) or type(thing).__module__
    top = str(module).partition(".")[0]
    is_code = isinstance(thing, (types.ModuleType, types.FunctionType, type))
    return top in _LIBRARIES or (is_code and top in sys.stdlib_module_names)
