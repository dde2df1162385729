"""Weight penalties for a model that exists."""

from typing import Any

import keras

from kerasopt._core import fit_state
from kerasopt._core.checks import bad_type, bad_value, flag, is_real
from kerasopt.regularization.assignment import put_on, take_off
from kerasopt.selection import Selection, Target


def add_penalty(
    model: Any,
    regularizer: Any,
    *,
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

    Call it on the model that is fitted and name parts of it by `include`; called on a part of a
    compiled model it says so.

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
        ValueError: If a value is wrong, the model is part of a compiled model that has trained,
            nothing is selected, the regularizer does not work on a selected variable, or one has a
            penalty that cannot be summed with this one. Nothing has been changed then.

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
    flag("replace", replace)
    return put_on(
        model,
        "regularizer",
        lambda target: _decide(target, new, replace),
        include,
        exclude,
        variables,
    )


def remove_penalty(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
    variables: str = "any",
) -> Selection:
    """Take the weight penalties off layers of a model, in place.

    Args:
        model: A built Keras model of any style, or a layer.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not; it wins over `include`. Defaults to `None`.
        variables: `"kernels"`, `"biases"`, `"all"` trainable ones, or `"any"`, frozen ones too.
            Defaults to `"any"`.

    Returns:
        The selection of those that had a penalty; it may be empty.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong, the model is part of a compiled model that has trained,
            or no layer is selected.

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
    return take_off(model, "regularizer", include, exclude, variables)


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
    old = fit_state.own(target.variable, "regularizer")
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


_SUMMABLE = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)
_NAMES = ("l1", "l1_l2", "l2", "orthogonal_regularizer")


def as_regularizer(value: Any) -> Any:
    """Give the Keras regularizer that `value` names.

    Args:
        value: A `keras.regularizers.Regularizer`, the name of one with Keras's default factor, or
            a finite number > 0, the factor of an L2 penalty.

    Raises:
        TypeError: If it is something else.
        ValueError: If the number is not positive and finite, or the name is not known.

    Example:
    >>> float(as_regularizer(0.01).l2)
    0.01
    """
    if isinstance(value, keras.regularizers.Regularizer):
        return value
    if isinstance(value, str):
        try:
            return keras.regularizers.get(value)
        except ValueError:
            expected = f"a regularizer, a factor or a name such as {list(_NAMES)}"
            raise bad_value("regularizer", expected, value) from None
    if is_real(value) and float(value) > 0.0:
        return keras.regularizers.L2(float(value))
    expected = "a `keras.regularizers.Regularizer`, its name, or a finite L2 factor > 0"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise bad_value("regularizer", expected, value)
    raise bad_type("regularizer", expected, value)


def can_add(first: Any, second: Any) -> bool:
    """Tell whether two regularizers have a sum that is one of Keras's own."""
    return type(first) in _SUMMABLE and type(second) in _SUMMABLE


def added(first: Any, second: Any) -> Any:
    """Give one regularizer that is the sum of two L1, L2 or L1L2 penalties.

    Example:
    >>> both = added(keras.regularizers.L1(0.1), keras.regularizers.L2(0.2))
    >>> round(float(both.l1), 6), round(float(both.l2), 6)
    (0.1, 0.2)
    """
    l1 = sum(float(getattr(one, "l1", 0.0)) for one in (first, second))
    l2 = sum(float(getattr(one, "l2", 0.0)) for one in (first, second))
    if l1 == 0.0:
        return keras.regularizers.L2(l2)
    if l2 == 0.0:
        return keras.regularizers.L1(l1)
    return keras.regularizers.L1L2(l1=l1, l2=l2)
