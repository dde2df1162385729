"""From what the user names to a regularizer, and the sum of two of them."""

from typing import Any

import keras

from kerasopt._checks import bad_type, bad_value, is_real

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
