"""How the spaces register hyperparameters: what has one value is fixed, what has more is searched.

A fixed one is registered as well, so that a trial's values say all of what it was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, one_of

NONE = "none"
"""The choice that leaves a model as it is."""

Check = Callable[[str, Any], Any]


def pick(hp: Any, name: str, values: Sequence[Any]) -> Any:
    """Register a choice and give its value, or `None` where it is not active."""
    return hp.Fixed(name, values[0]) if len(values) == 1 else hp.Choice(name, list(values))


def real(hp: Any, name: str, low: float, high: float, log: bool = False) -> Any:
    """Register a real number and give its value, or `None` where it is not active."""
    if low == high:
        return hp.Fixed(name, low)
    return hp.Float(name, low, high, sampling="log" if log else "linear")


def whole(hp: Any, name: str, low: int, high: int) -> Any:
    """Register an integer on a log scale and give its value, or `None` where it is not active."""
    return hp.Fixed(name, low) if low == high else hp.Int(name, low, high, sampling="log")


def checked_prefix(prefix: Any) -> str:
    """Check what the names of hyperparameters begin with.

    Raises:
        TypeError: If it is no string.
        ValueError: If it is empty.
    """
    if not isinstance(prefix, str):
        raise bad_type("prefix", "a string", prefix)
    if not prefix:
        raise bad_value("prefix", "a string that is not empty", prefix)
    return prefix


def checked_words(argument: str, values: Any, known: Iterable[str]) -> list[str]:
    """Check a list of words, each once and one of `known`, and give it.

    Raises:
        TypeError: If it is no list of strings.
        ValueError: If it is empty, or a word is not known or there twice.
    """
    return [one_of(argument, one, known) for one in checked_list(argument, values)]


def checked_list(argument: str, values: Any) -> list[str]:
    """Check a list of different words, and give it.

    Raises:
        TypeError: If it is no list of strings.
        ValueError: If it is empty, or a word is there twice.
    """
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise bad_type(argument, "a list of names", values)
    found = list(values)
    for one in found:
        if not isinstance(one, str):
            raise bad_type(argument, "a list of names", values)
    if not found or len(set(found)) < len(found):
        raise bad_value(argument, "at least one name, each once", values)
    return found


def checked_range(what: str, low: Any, high: Any, check: Check) -> tuple[Any, Any]:
    """Check the arguments `min_<what>` and `max_<what>`, and give both.

    Args:
        what: The quantity.
        low: Its least value.
        high: Its greatest value; equal to `low` it is fixed.
        check: Gives a number from an argument's name and value, or raises.

    Raises:
        TypeError, ValueError: If one is wrong, or the least is above the greatest.

    Example:
    >>> from kerasopt._core.checks import positive
    >>> checked_range("l2", 1e-6, 1e-2, positive)
    (1e-06, 0.01)
    """
    least, most = check(f"min_{what}", low), check(f"max_{what}", high)
    if least > most:
        raise bad_value(f"min_{what}", f"at most max_{what}={high!r}", low)
    return least, most
