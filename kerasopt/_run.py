"""What the callbacks of one `fit` tell each other, whatever their order.

Keras hands the same `params` dict to all callbacks of a `fit`, and a new one to the next `fit`:
what is noted there is seen by all of them and never outlives the run.
"""

from collections.abc import Mapping
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
