"""The saved state of a pruning: plain data, checked when it comes back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import bad_type, bad_value, is_integer
from kerasopt.selection import Selection

_FORM = "what `get_state` gave: a dict with `step`, `updated` and `masks`"


def checked_state(state: Any) -> dict[str, Any]:
    """Check the form of a state and copy it.

    Raises:
        TypeError: If it is no dict.
        ValueError: If something is missing, or it has been updated but holds no masks.
    """
    if not isinstance(state, Mapping):
        raise bad_type("state", _FORM, state)
    given: Any = state
    step, updated, masks = given.get("step"), given.get("updated"), given.get("masks")
    in_epoch = given.get("in_epoch", 0)
    counts = all(is_integer(count) for count in (step, updated, in_epoch))
    if not (counts and isinstance(masks, Mapping)):
        raise bad_value("state", _FORM, sorted(state))
    if updated >= 0 and not masks:
        raise bad_value("state", _FORM, dict(state), "Its masks are missing.")
    arrays = {path: np.array(kept, bool) for path, kept in masks.items()}
    whole = {"step": int(step), "in_epoch": int(in_epoch), "updated": int(updated)}
    more = {"target": given.get("target"), "collected": dict(given.get("collected", {}))}
    return {**whole, "masks": arrays, **more}


def matching_masks(state: Mapping[str, Any], selection: Selection) -> list[NDArray[np.bool_]]:
    """Give the masks of a state in the order of a selection.

    They belong together by path. Keras numbers unnamed layers anew for each model of a process, so
    where no path is known, kernels of the same shapes in the same order belong together.

    Args:
        state: What `checked_state` gave.
        selection: The kernels.

    Raises:
        ValueError: If the kernels are others.
    """
    masks: dict[str, NDArray[np.bool_]] = state["masks"]
    shapes = {target.path: tuple(target.variable.shape) for target in selection}
    if not masks:
        return [np.ones(shape, bool) for shape in shapes.values()]
    if {path: kept.shape for path, kept in masks.items()} == shapes:
        return [masks[path] for path in shapes]
    if not set(masks) & set(shapes) and [m.shape for m in masks.values()] == list(shapes.values()):
        return list(masks.values())
    saved = {path: kept.shape for path, kept in masks.items()}
    only_saved = {path: shape for path, shape in saved.items() if shapes.get(path) != shape}
    only_here = {path: shape for path, shape in shapes.items() if saved.get(path) != shape}
    raise bad_value(
        "state",
        f"masks for the selected kernels; {only_here} have none",
        only_saved,
        "Give the state of the same model with the same `include` and `exclude`.",
    )
