"""Weight constraints for a model that exists."""

from typing import Any

import keras

from kerasopt._core import fit_state
from kerasopt._core.checks import bad_type, bad_value, flag
from kerasopt.regularization.assignment import put_on, take_off
from kerasopt.regularization.config_attributes import alike
from kerasopt.selection import Selection, Target

_NAMES = ("max_norm", "min_max_norm", "non_neg", "unit_norm")


def add_constraint(
    model: Any,
    constraint: Any,
    *,
    include: Any = None,
    exclude: Any = None,
    variables: str = "kernels",
    replace: bool = False,
) -> Selection:
    r"""Constrain weights of a model that exists, in place.

    The optimizer projects the weights after each of its steps from the next `fit` on, also in a
    model that is compiled and has trained: `MaxNorm(3)` scales each unit's weights so that
    `norm(w) <= 3` (Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting"; a norm is taken over `axis`: `0` for Dense, `[0, 1, 2]` for Conv2D). It is a plain
    Keras constraint: a saved model keeps it and loads without kerasopt, save where a warning says
    otherwise. Together with a pruning mask both hold: the constraint sees the weights that stay.

    Args:
        model: A built Keras model of any style, or a layer: the model that is fitted, with its
            parts named by `include`.
        constraint: A `keras.constraints.Constraint`, or the name of one (`"non_neg"`).
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not; it wins over `include`. Defaults to `None`.
        variables: `"kernels"`, `"biases"` or `"all"` trainable ones. Defaults to `"kernels"`.
        replace: Whether to drop another constraint that is there already. Defaults to `False`.

    Returns:
        The selection: a list of `Target(layer, variable, path)` that now have the constraint.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong, the model is part of a compiled model that has trained,
            nothing is selected, the constraint does not work on a selected variable, or one has
            another constraint. Nothing has been changed then.

    Warns:
        UserWarning: Naming frozen layers, on which a constraint does nothing, and layers for which
            a saved or cloned model will have lost it.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import add_constraint
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="top")])
    >>> [target.path for target in add_constraint(model, keras.constraints.MaxNorm(3))]
    ['top/kernel']
    """
    new = _as_constraint(constraint)
    flag("replace", replace)
    return put_on(
        model,
        "constraint",
        lambda target: _decide(target, new, replace),
        include,
        exclude,
        variables,
    )


def remove_constraint(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
    variables: str = "any",
) -> Selection:
    """Take the weight constraints off layers of a model, in place.

    A pruning mask that `fit` holds at the moment stays.

    Args:
        model: A built Keras model of any style, or a layer.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not; it wins over `include`. Defaults to `None`.
        variables: `"kernels"`, `"biases"`, `"all"` trainable ones, or `"any"`, frozen ones too.
            Defaults to `"any"`.

    Returns:
        The selection of those that had a constraint; it may be empty.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong, the model is part of a compiled model that has trained,
            or no layer is selected.

    Warns:
        UserWarning: Naming layers that will have it again in a saved or cloned model.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import add_constraint, remove_constraint
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="top")])
    >>> _ = add_constraint(model, "non_neg")
    >>> [target.path for target in remove_constraint(model)]
    ['top/kernel']
    """
    return take_off(model, "constraint", include, exclude, variables)


def _as_constraint(value: Any) -> Any:
    if isinstance(value, fit_state.Temporary):
        raise bad_type("constraint", "a constraint of your own, not a mask", value)
    if isinstance(value, keras.constraints.Constraint):
        return value
    expected = f"a `keras.constraints.Constraint`, or a name such as {list(_NAMES)}"
    if isinstance(value, str):
        try:
            return keras.constraints.get(value)
        except ValueError:
            raise bad_value("constraint", expected, value) from None
    raise bad_type("constraint", expected, value)


def _decide(target: Target, new: Any, replace: bool) -> Any:
    """Give the constraint that a variable shall have, or say why it cannot have it."""
    try:
        shape = tuple(new(keras.ops.convert_to_tensor(target.variable)).shape)
    except Exception as error:
        raise bad_value(
            "constraint", f"one that works on {target.path!r}", new, f"It says: {error}"
        ) from error
    if shape != tuple(target.variable.shape):
        raise bad_value("constraint", f"one that keeps the shape of {target.path!r}", new)
    old = fit_state.own(target.variable, "constraint")
    if old is None or replace or alike(old, new):
        return new
    raise bad_value(
        "constraint",
        "the only one of its variable",
        new,
        f"{target.path!r} has {type(old).__name__} already. Pass `replace=True` to put the new one "
        "in its place.",
    )
