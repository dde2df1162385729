"""Whether a model's own `train_step` trains with the model's losses, penalties among them."""

import inspect
import types
from collections.abc import Iterator
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
            found = [getattr(cls, name, None), vars(model).get(name), around.get(name)]
            for thing in (one for one in found if one is not None):
                if isinstance(thing, property):
                    thing = thing.fget
                if _is_of_a_library(thing) or isinstance(thing, (type, types.ModuleType)):
                    continue
                if isinstance(thing, keras.layers.Layer) or not _may_call(thing):
                    continue
                if not callable(thing) or isinstance(thing, types.BuiltinFunctionType):
                    return False  # an object of the user's, whose methods may read them
                waiting.append(getattr(thing, "__func__", thing))
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


def _is_of_a_library(thing: Any) -> bool:
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0] in _LIBRARIES


def _may_call(thing: Any) -> bool:
    """Tell whether a value is no plain data."""
    return not isinstance(thing, (bool, int, float, str, bytes, list, tuple, dict, set))
