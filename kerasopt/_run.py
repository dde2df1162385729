"""What the callbacks of one `fit` tell each other, whatever their order.

Keras hands the same `params` dict to all callbacks of a `fit`, and a new one to the next `fit`:
what is noted there is seen by all of them and never outlives the run.
"""

from typing import Any

_KEY = "kerasopt"


def _board(callback: Any) -> dict[str, Any]:
    params = callback.params
    if params is None:
        params = callback.params = {}
    board: dict[str, Any] = params.setdefault(_KEY, {})
    return board


def unsettle(callback: Any, why: str) -> None:
    """Note that `callback` is still changing the model, so that epochs are not comparable yet."""
    _board(callback).setdefault("unsettled", {})[id(callback)] = why


def settle(callback: Any) -> None:
    """Note that `callback` has made its last change of the model."""
    _board(callback).get("unsettled", {}).pop(id(callback), None)


def unsettled(callback: Any) -> list[str]:
    """Give what callbacks of this run are still changing, in words."""
    return list(_board(callback).get("unsettled", {}).values())


def claim(callback: Any, what: str, names: list[str]) -> list[str]:
    """Take things for `callback` alone in this run; give those that another one holds already."""
    held = _board(callback).setdefault(what, {})
    taken = [name for name in names if held.get(name, id(callback)) != id(callback)]
    held.update({name: id(callback) for name in names if name not in taken})
    return taken


def length(callback: Any) -> tuple[int | None, int | None]:
    """Give the steps of the whole run and of an epoch, each `None` where Keras does not know."""
    params = callback.params or {}
    steps, epochs = params.get("steps"), params.get("epochs")
    if not steps:
        return None, None
    return (steps * epochs if epochs else None), steps
