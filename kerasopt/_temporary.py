"""What kerasopt holds on a variable for the time of a `fit`, over what the user set there.

A variable has one constraint and one regularizer. A pruning mask or a scheduled penalty takes that
place and calls the user's own one inside; several may lie on top of each other.
"""

from collections.abc import Callable
from typing import Any


class Temporary:
    """Mixin of a constraint or regularizer that is never part of a saved model.

    Attributes:
        inner: What was there before: the user's own, or another temporary one, or `None`.
    """

    inner: Any = None


def own(variable: Any, what: str) -> Any:
    """Give the user's own `"constraint"` or `"regularizer"` from under all that is temporary."""
    thing = getattr(variable, what, None)
    while isinstance(thing, Temporary):
        thing = thing.inner
    return thing


def set_own(variable: Any, what: str, thing: Any) -> None:
    """Set the user's own one, under all that is temporary."""
    top = getattr(variable, what, None)
    if not isinstance(top, Temporary):
        setattr(variable, what, thing)
        return
    while isinstance(top.inner, Temporary):
        top = top.inner
    top.inner = thing


def take_off(variable: Any, what: str, unwanted: Callable[[Any], bool]) -> bool:
    """Take temporary ones off a variable, and leave the others.

    Args:
        variable: The variable.
        what: `"constraint"` or `"regularizer"`.
        unwanted: Function that tells, of a temporary one, whether it goes.

    Returns:
        Whether there was one.
    """
    kept: list[Temporary] = []
    found = False
    thing = getattr(variable, what, None)
    while isinstance(thing, Temporary):
        if unwanted(thing):
            found = True
        else:
            kept.append(thing)
        thing = thing.inner
    for one in reversed(kept):
        one.inner, thing = thing, one
    if found:
        setattr(variable, what, thing)
    return found
