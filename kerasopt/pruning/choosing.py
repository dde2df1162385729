"""What chooses the masks of one run, update by update."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kerasopt.pruning.collecting import Collector
from kerasopt.pruning.criteria import Context, Criterion, ZerosLast
from kerasopt.pruning.dynamics import Dynamics
from kerasopt.pruning.held import Masks
from kerasopt.pruning.patterns import Pattern
from kerasopt.pruning.scopes import Scope


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
