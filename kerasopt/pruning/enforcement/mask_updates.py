"""When masks are chosen anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value, is_integer
from kerasopt.pruning.criteria import Context, Criterion, ZerosLast
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.pruning.masks.dynamics import Dynamics
from kerasopt.pruning.patterns import Pattern
from kerasopt.pruning.scopes import Scope
from kerasopt.pruning.statistics.collector import Collector
from kerasopt.selection import Selection

_OFTEN = 100
_AT_LEAST = 20


@dataclass(frozen=True)
class Updates:
    """The steps after which new masks hold: every `frequency` steps from `begin`, and at `end`.

    Attributes:
        begin: First step with a mask.
        end: Last step with a new mask, or `None` for no last one.
        frequency: Steps between two of them.

    Example:
    >>> updates = Updates(begin=100, end=115, frequency=10)
    >>> [step for step in range(130) if updates.due(step - 1, step)]
    [100, 110, 115]
    """

    begin: int
    end: int | None
    frequency: int

    @classmethod
    def every(cls, frequency: int | str, begin: int, end: int | None) -> "Updates":
        """Give the updates for a frequency in steps, or for `"auto"`.

        `"auto"` is every 100 steps, or more often where the schedule is short, so that there are at
        least 20 between begin and end (in fewer than 20 steps, one at each).

        Example:
        >>> [Updates.every("auto", 0, end).frequency for end in (10, 1000, 100_000, None)]
        [1, 50, 100, 100]
        """
        if not isinstance(frequency, str):
            return cls(begin, end, frequency)
        if end is None:
            return cls(begin, end, _OFTEN)
        return cls(begin, end, min(_OFTEN, max(1, (end - begin) // _AT_LEAST)))

    def due(self, before: int, now: int) -> bool:
        """Tell whether an update falls after step `before` and not after step `now`.

        Several steps may pass between two looks (`steps_per_execution`), so a crossing counts.
        """
        if now < self.begin:
            return False
        if before < self.begin:
            return True
        if self.end is not None and before >= self.end:
            return False
        last = now if self.end is None else min(now, self.end)
        ended = self.end is not None and now >= self.end
        crossed = (last - self.begin) // self.frequency > (before - self.begin) // self.frequency
        return ended or crossed


class Choosing:
    """Chooses masks anew where the sparsity changes, and exchanges connections where it does not.

    Args:
        model: The model that trains.
        masks: Its masks.
        criterion: Which weights go.
        pattern: In what shape.
        scope: How the kernels share the sparsity.
        dynamics: What exchanges connections between two changes of the sparsity, or `None`.
        data: What the criterion and the dynamics may look at, or `None`.
        batches: How many batches of it each time.

    Raises:
        TypeError: If `data` is of another form.
        ValueError: If the criterion or the dynamics need data and there are none.
    """

    def __init__(
        self,
        model: Any,
        masks: Masks,
        criterion: Criterion,
        pattern: Pattern,
        scope: Scope,
        dynamics: Dynamics | None,
        data: Any,
        batches: int,
    ):
        self._masks, self._criterion, self._pattern = masks, criterion, pattern
        self._scope, self._dynamics = scope, dynamics
        self._target: float | None = None
        wanting: list[Any] = [criterion, *([dynamics] if dynamics else [])]
        needs = {need for one in wanting for need in one.needs}
        who = next((one for one in reversed(wanting) if one.needs), criterion)
        if not criterion.needs:
            masks.try_out(criterion)
        self._collector = Collector(model, masks.selection, needs, who, data, batches)

    def choose(self, step: int, sparsity: float, share: float, moving: tuple[int, int]) -> None:
        """Put the masks of a step in force.

        Args:
            step: The step.
            sparsity: Float in [0, 1), the schedule's at that step.
            share: How much of its way the schedule has done.
            moving: The steps between which connections are exchanged.
        """
        contexts = self._collector.collect() if self._collector.needs else {}
        if self._dynamics is not None and sparsity == self._target:
            exchanged = self._dynamics.share(step, *moving)
            self._masks.exchange(self._dynamics, exchanged, contexts, step)
            return
        criterion = self._criterion
        if self._target is not None and sparsity < self._target:
            criterion = ZerosLast(criterion, again=True)
            contexts = contexts or {path: Context(name=path) for path in self._masks.paths}
            contexts = {path: replace(one, draw=step) for path, one in contexts.items()}
        self._masks.choose(sparsity, self._scope, self._pattern, criterion, share, contexts or None)
        self._target = sparsity

    def get_state(self) -> dict[str, Any]:
        """Give as plain data the sparsity of the last choice, and what was seen of the data."""
        return {"target": self._target, "collected": self._collector.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take that back; what else stands in `state` is ignored."""
        self._target = state["target"]
        self._collector.set_state(state["collected"])


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
