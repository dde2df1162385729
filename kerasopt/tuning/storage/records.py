"""What a study knows of its trials, in plain words."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, TrialState

# Attributes of a trial in the study. Those a person may want to see have plain names.
VALUES, METRICS, EXECUTIONS, STEP = "values", "metrics", "executions", "best_step"
REASON, MESSAGE = "reason", "message"
OWNER, BEAT, OUT = "kerasopt:owner", "kerasopt:beat", "kerasopt:out"
PASSED, SIZE, UNKEPT = "kerasopt:passed", "kerasopt:parameters", "weights"
CRASH, ATTEMPT, FOLDER = "kerasopt:crash", "kerasopt:attempt", "kerasopt:folder"

_STATES = {
    TrialState.RUNNING: "RUNNING",
    TrialState.WAITING: "WAITING",
    TrialState.COMPLETE: "COMPLETED",
    TrialState.PRUNED: "PRUNED",
    TrialState.FAIL: "FAILED",
}


@dataclass(frozen=True)
class Record:
    """One trial.

    Attributes:
        id: Its name, the number in the study with zeros in front.
        state: `"COMPLETED"`, `"PRUNED"` (stopped while it trained), `"FAILED"`, `"RUNNING"` or
            `"WAITING"`.
        values: Its active hyperparameters.
        metrics: What was measured, the mean over its executions.
        executions: What each of its executions measured.
        objectives: The values of the objectives, in their order; `None` if it did not get so far.
        violation: By how much it breaks the constraints, 0 if it keeps them.
        reason: Why it failed or was pruned, in a line; else empty.
        message: The traceback of a failed one; else empty.
        best_step: The epoch (from 0) that its metrics are of.
        curve: By epoch (from 1), the objective while it trained, where a pruner asked for it.
        seconds: How long it took; `None` if it has not ended.
        host: The machine that ran it.
        folder: Where its files were kept.
    """

    id: str
    state: str
    values: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    executions: tuple[dict[str, float], ...] = ()
    objectives: tuple[float, ...] | None = None
    violation: float = 0.0
    reason: str = ""
    message: str = ""
    best_step: int = 0
    curve: dict[int, float] = field(default_factory=dict)
    seconds: float | None = None
    host: str = ""
    folder: str = ""

    @property
    def feasible(self) -> bool:
        """Whether it keeps all constraints."""
        return self.violation <= 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON data."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["executions"] = list(self.executions)
        plain["objectives"] = None if self.objectives is None else list(self.objectives)
        plain["curve"] = {str(step): value for step, value in self.curve.items()}
        return plain


def is_too_large(trial: FrozenTrial, most: int | None) -> bool:
    """Tell whether a trial was passed over, and would be with this `max_model_size`, too."""
    if PASSED not in trial.user_attrs:
        return False
    return most is not None and trial.user_attrs.get(SIZE, math.inf) > most


def counts(trial: FrozenTrial) -> bool:
    """Tell whether a trial is one of the search: begun, and not lost, withdrawn or passed over.

    One that others were about to give up, and that ended by itself just before, is one of it.
    """
    if PASSED in trial.user_attrs:
        return False
    by_itself = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    return by_itself or (trial.state != TrialState.WAITING and OUT not in trial.user_attrs)


def name_of(number: int) -> str:
    """Give a trial's name for its number in the study."""
    return f"{number:04d}"


def record_of(trial: FrozenTrial) -> Record:
    """Read one trial."""
    kept = trial.user_attrs
    seconds = None if trial.duration is None else trial.duration.total_seconds()
    objectives = None
    if trial.state == TrialState.COMPLETE and trial.values is not None:
        objectives = tuple(float(value) for value in trial.values)
    broken = [value for value in trial.constraints.values() if value > 0]
    return Record(
        id=name_of(trial.number),
        state=_STATES[trial.state],
        values=dict(kept.get(VALUES, {})),
        metrics=dict(kept.get(METRICS, {})),
        executions=tuple(kept.get(EXECUTIONS, ())),
        objectives=objectives,
        violation=math.fsum(broken),
        reason=kept.get(REASON, ""),
        message=kept.get(MESSAGE, ""),
        best_step=int(kept.get(STEP, 0)),
        curve={step: float(value) for step, value in trial.intermediate_values.items()},
        seconds=seconds,
        host=kept.get(OWNER, {}).get("host", ""),
        folder=kept.get(FOLDER, ""),
    )


def ranked(records: list[Record], directions: list[str]) -> list[Record]:
    """Sort completed trials, the best first.

    Those that keep the constraints stand before those that do not, which are sorted by how much
    they break them. With several objectives those that no other one is better than in everything
    stand first, then those that are only worse than these, and so on (Deb et al., 2002); within
    such a front they are sorted by the first objective.
    """
    done = [one for one in records if one.state == "COMPLETED" and one.objectives is not None]
    signs = [-1.0 if direction == "max" else 1.0 for direction in directions]

    def losses(one: Record) -> tuple[float, ...]:
        assert one.objectives is not None
        return tuple(s * value for s, value in zip(signs, one.objectives, strict=True))

    left = sorted((one for one in done if one.feasible), key=losses)
    order: list[Record] = []
    while left:
        front = left if len(signs) == 1 else _front(left, losses)
        order += front
        chosen = {one.id for one in front}
        left = [one for one in left if one.id not in chosen]
    broken = sorted((one for one in done if not one.feasible), key=lambda one: one.violation)
    return order + broken


def front_of(records: list[Record], directions: list[str]) -> list[Record]:
    """Give the Pareto front: feasible trials that no other one is better than in everything.

    They are sorted by the first objective, the best first.
    """
    signs = [-1.0 if direction == "max" else 1.0 for direction in directions]

    def losses(one: Record) -> tuple[float, ...]:
        return tuple(s * value for s, value in zip(signs, one.objectives or (), strict=True))

    done = [one for one in records if one.objectives is not None and one.feasible]
    return _front(sorted(done, key=losses), losses)


def _front(records: list[Record], losses: Callable[[Record], tuple[float, ...]]) -> list[Record]:
    """Give the front of records that are sorted by their losses.

    Only an earlier one can beat a later one, and if one does, then one of the front does.
    """
    front: list[Record] = []
    for one in records:
        mine = losses(one)
        if not any(_dominates(losses(other), mine) for other in front):
            front.append(one)
    return front


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
