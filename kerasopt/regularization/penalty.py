"""Weight penalties for a model that exists."""

import warnings
from collections.abc import Iterable
from typing import Any

import keras

from kerasopt._checks import bad_type, bad_value
from kerasopt.regularization.assignment import set_penalties
from kerasopt.regularization.factors import added, as_regularizer, can_add
from kerasopt.selection import Selection, Target, select


def add_penalty(
    model: Any,
    regularizer: Any,
    include: Any = None,
    exclude: Any = None,
    variables: str = "kernels",
    replace: bool = False,
) -> Selection:
    r"""Add a weight penalty to layers of a model that exists, in place.

    The penalty joins the loss in the next `fit`, also of a model that is compiled and has trained:
    L2 adds `factor * sum(w ** 2)` (Krogh & Hertz, 1991, "A Simple Weight Decay Can Improve
    Generalization"), L1 adds `factor * sum(abs(w))` (Tibshirani, 1996, "Regression Shrinkage and
    Selection via the Lasso"). It is a plain Keras regularizer: a saved model keeps it and loads
    without kerasopt, save where a warning says otherwise. Called twice, it adds twice.

    Call it on the model that is fitted: a compiled model around it would not notice.

    Args:
        model: A built Keras model of any style, or a layer.
        regularizer: A `keras.regularizers.Regularizer`, the name of one (`"l2"`), or a finite
            number > 0, the factor of an L2 penalty.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not; it wins over `include`. Defaults to `None`.
        variables: `"kernels"`, `"biases"` or `"all"` trainable ones. Defaults to `"kernels"`.
        replace: Whether to drop a penalty that is there already. Otherwise L1 and L2 penalties are
            summed. Defaults to `False`.

    Returns:
        The selection: a list of `Target(layer, variable, path)` that now have the penalty.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong, nothing is selected, the regularizer does not work on a
            selected variable, or one has a penalty that cannot be summed with this one. Nothing has
            been changed then.

    Warns:
        UserWarning: Naming frozen layers, on which a penalty does nothing, and layers for which a
            saved or cloned model will have lost it.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import add_penalty
    >>> model = keras.Sequential([keras.Input((3,)),
    ...                           keras.layers.Dense(2, kernel_initializer="ones")])
    >>> _ = add_penalty(model, 0.01)
    >>> round(float(sum(model.losses)), 6)
    0.06
    """
    new = as_regularizer(regularizer)
    if not isinstance(replace, bool):
        raise bad_type("replace", "True or False", replace)
    selection = select(model, include, exclude, variables)
    penalties = [_decide(target, new, replace) for target in selection]
    forgotten = set_penalties(model, selection, penalties)
    trained = {id(variable) for variable in model.trainable_variables}
    frozen = [target for target in selection if id(target.variable) not in trained]
    if frozen:
        _warn(f"A penalty does nothing on frozen layers: {_names(frozen)}.")
    if forgotten:
        _warn(
            f"The penalty on {_names(forgotten)} works now, but no config has a place for it: add "
            "it again to a model that was saved and loaded, or cloned."
        )
    return selection


def remove_penalty(
    model: Any, include: Any = None, exclude: Any = None, variables: str = "all"
) -> Selection:
    """Take the weight penalties off layers of a model, in place.

    Args:
        model: A built Keras model of any style, or a layer.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not; it wins over `include`. Defaults to `None`.
        variables: `"kernels"`, `"biases"` or `"all"` trainable ones. Defaults to `"all"`.

    Returns:
        The selection of those that had a penalty; it may be empty.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong or no layer is selected.

    Warns:
        UserWarning: Naming layers that will have it again in a saved or cloned model.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import add_penalty, remove_penalty
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="top")])
    >>> _ = add_penalty(model, "l2")
    >>> [target.path for target in remove_penalty(model)], model.losses
    (['top/kernel'], [])
    """
    chosen = select(model, include, exclude, variables)
    having = [target for target in chosen if _penalty_of(target) is not None]
    selection = Selection(having, chosen.left_out)
    remembered = set_penalties(model, selection, [None] * len(selection))
    if remembered:
        _warn(
            f"{_names(remembered)} has no penalty now, but a model that is saved and loaded, or "
            "cloned, may have it again, where it is made by code that no config shows."
        )
    return selection


def _penalty_of(target: Target) -> Any:
    return getattr(target.variable, "regularizer", None)


def _decide(target: Target, new: Any, replace: bool) -> Any:
    """Give the penalty that a variable shall have, or say why it cannot have it."""
    try:
        value = keras.ops.convert_to_numpy(new(target.variable))
    except Exception as error:
        raise bad_value(
            "regularizer", f"one that works on {target.path!r}", new, f"It says: {error}"
        ) from error
    if value.size != 1:
        raise bad_value("regularizer", "one that gives a single number", new)
    old = _penalty_of(target)
    if old is None or replace:
        return new
    if not can_add(old, new):
        raise bad_value(
            "regularizer",
            "an L1, L2 or L1L2 penalty where one is there already",
            new,
            f"{target.path!r} has {type(old).__name__}, and the two have no sum that Keras could "
            "save. Pass `replace=True` to put the new one in its place.",
        )
    return added(old, new)


def _names(targets: Iterable[Target]) -> str:
    return ", ".join(dict.fromkeys(repr(target.name) for target in targets))


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)
