"""Shapes of inputs as arguments."""

from typing import Any

from kerasopt._core.checks import bad_type, bad_value, is_integer


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


def count(hp: Any, name: str, most: int, default: int) -> int:
    """Declare an integer from 1 to `most`; fixed where there is nothing to choose."""
    if most == 1:
        return int(hp.Fixed(name, 1))
    return int(hp.Int(name, 1, most, default=min(default, most)))


def width(hp: Any, name: str, most: int, default: int, least: int = 8) -> int | None:
    """Declare units or filters: `least`, twice, four times ... up to `most`, at least twice.

    Returns:
        The value; `None` within a conditional scope that is not active.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> width(hp, "units", most=100, default=128)
    64
    >>> hp.space
    [Int(name: 'units', min_value: 8, max_value: 64, step: 2, sampling: log, default: 64)]
    """
    top = least << ((most // least).bit_length() - 1)
    value = hp.Int(name, least, top, step=2, sampling="log", default=min(default, top))
    return None if value is None else int(value)


def dropout(hp: Any) -> float:
    """Declare the rate of dropout: 0 to 0.5 in steps of 0.1."""
    return float(hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.2))


def learning_rate(hp: Any) -> float:
    """Declare the learning rate of Adam: 1e-4 to 1e-2, logarithmic."""
    return float(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3))
