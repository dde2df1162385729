"""What callbacks share during one `fit`: what they tell each other, what they hold on variables."""

from collections.abc import Callable, Mapping
from typing import Any

_KEY = "kerasopt"


def _board(callback: Any) -> dict[str, Any]:
    params = callback.params
    if params is None:
        params = callback.params = {}
    board: dict[str, Any] = params.setdefault(_KEY, {})
    return board


def unsettle(callback: Any, who: str, until: int | None = None) -> None:
    """Note that `callback` is still changing the model, so that epochs are not comparable yet.

    Args:
        callback: The callback.
        who: What it is called.
        until: The step at which it will be done, if that is known.
    """
    _board(callback).setdefault("unsettled", {})[id(callback)] = (who, until)


def settle(callback: Any) -> None:
    """Note that `callback` has made its last change of the model."""
    _board(callback).get("unsettled", {}).pop(id(callback), None)


def unsettled(callback: Any) -> list[tuple[str, int | None]]:
    """Give who is still changing the model in this run, and until which step."""
    return list(_board(callback).get("unsettled", {}).values())


def interrupt(callback: Any) -> None:
    """Note that the user has broken this run off: it has ended, but not by itself."""
    _board(callback)["interrupted"] = True


def interrupted(callback: Any) -> bool:
    """Tell whether the user has broken this run off."""
    return bool(_board(callback).get("interrupted"))


def first(callback: Any, what: str) -> bool:
    """Tell whether nobody has asked for `what` in this run yet: for what is said once."""
    said: set[str] = _board(callback).setdefault("said", set())
    if what in said:
        return False
    said.add(what)
    return True


def claim(callback: Any, what: str, things: Mapping[int, str]) -> list[str]:
    """Take things (id -> name) for `callback` alone in this run; name those another one holds."""
    held: dict[int, int] = _board(callback).setdefault(what, {})
    taken = [key for key in things if held.get(key, id(callback)) != id(callback)]
    if not taken:
        held.update(dict.fromkeys(things, id(callback)))
    return [things[key] for key in taken]


def claimed(callback: Any, what: str) -> set[int]:
    """Give the ids of the things that callbacks of this run have taken."""
    return set(_board(callback).get(what, {}))


def length(callback: Any) -> tuple[int | None, int | None]:
    """Give the steps of the whole run and of an epoch, each `None` where Keras does not know."""
    params = callback.params or {}
    steps, epochs = params.get("steps"), params.get("epochs")
    if not steps:
        return None, None
    return (steps * epochs if epochs else None), steps


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
