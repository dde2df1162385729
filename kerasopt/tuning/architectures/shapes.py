"""Shapes of inputs as arguments."""

from typing import Any

from kerasopt._checks import bad_type, bad_value, is_integer


def input_shape(
    value: Any, what: str, ranks: tuple[int, ...], open_first: bool = False
) -> tuple[Any, ...]:
    """Check the shape of one sample.

    Args:
        value: What was given as `input_shape`.
        what: How it should look, such as "(steps, features)".
        ranks: How many axes it may have; empty: any number from 1.
        open_first: Whether the first axis may be `None`. Defaults to `False`.

    Raises:
        TypeError: If it is no tuple or list of integers.
        ValueError: If it has another number of axes, or one below 1.

    Example:
    >>> input_shape([28, 28], "(height, width)", ranks=(2,))
    (28, 28)
    """
    expected = f"a tuple {what} of integers >= 1, without the batch"
    if not isinstance(value, tuple | list):
        raise bad_type("input_shape", expected, value)
    open_axes = 1 if open_first and value and value[0] is None else 0
    if not all(is_integer(size) for size in value[open_axes:]):
        raise bad_type("input_shape", expected, value)
    known = [int(size) for size in value[open_axes:]]
    if not value or (ranks and len(value) not in ranks) or any(size < 1 for size in known):
        raise bad_value("input_shape", expected, value)
    return (*value[:open_axes], *known)
