"""Hyperparameters that several search spaces have, by the same names and in the same ranges."""

from typing import Any


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
