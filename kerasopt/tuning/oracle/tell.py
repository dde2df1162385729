"""How a trial ends: completed, pruned, failed, tried again."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from kerasopt._core.checks import bad_value, did_you_mean
from kerasopt.tuning.oracle.objectives import Limits, violations
from kerasopt.tuning.oracle.ownership import Running
from kerasopt.tuning.oracle.retry import again, lose
from kerasopt.tuning.storage.records import (
    ATTEMPT,
    CRASH,
    MESSAGE,
    METRICS,
    OUT,
    PASSED,
    REASON,
    STEP,
    VALUES,
    is_too_large,
    name_of,
)

MOST_PASSED = 100
"""After so many configurations in a row that were passed over, the search ends."""

_LONGEST = 20_000  # characters of a traceback: some databases hold no longer texts


def check_reported(
    objectives: Iterable[str], limits: Iterable[str], metrics: Mapping[str, Any]
) -> None:
    """Check that the objectives and what has a limit are among what a trial has measured.

    Raises:
        ValueError: If not, with what it did measure.
    """
    wanted = [("objective", name) for name in objectives]
    for argument, name in wanted + [("constraints", name) for name in limits]:
        if name not in metrics:
            raise bad_value(
                argument,
                f"one of what the trials report: {sorted(metrics)}",
                name,
                did_you_mean(name, metrics),
            )


def not_finite(metrics: Mapping[str, float], names: Iterable[str]) -> str:
    """Say which of these metrics are no finite numbers; empty if all are."""
    return ", ".join(f"{name} is {metrics[name]}" for name in names
                     if not math.isfinite(metrics[name]))  # fmt: skip


def end(
    study: optuna.Study,
    running: Running,
    goals: Sequence[tuple[str, str]],
    limits: Limits,
    retries: int,
) -> None:
    """Write down how a trial ended; its status becomes what came of it.

    Args:
        study: The study.
        running: The trial; `shown` has its status, message and metrics.
        goals: Name and direction of each objective.
        limits: By metric, the least and the largest value.
        retries: How often a crash is tried again.
    """
    shown, asked = running.shown, running.asked
    if shown.status == "LOST":
        lose(study, study.get_trials(deepcopy=False)[asked.number], "it was broken off", free=True)
        return
    try:
        _end(study, running, goals, limits, retries)
    except optuna.exceptions.UpdateFinishedTrialError:
        # This process was taken for dead, and what others made of its trial stands.
        shown.status = "LOST"


def _end(
    study: optuna.Study,
    running: Running,
    goals: Sequence[tuple[str, str]],
    limits: Limits,
    retries: int,
) -> None:
    shown, asked = running.shown, running.asked
    names = [name for name, _ in goals]
    metrics = {name: value for name, (value, _) in running.measured.items()}
    asked.set_user_attr(VALUES, dict(shown.hyperparameters.values))
    asked.set_user_attr(METRICS, plain(metrics))
    wrong = ""
    if shown.status == "COMPLETED":
        wrong = not_finite(metrics, [*names, *(name for name in limits if name in metrics)])
    if wrong:
        shown.status, shown.message = "FAILED", wrong
        asked.set_user_attr(REASON, wrong)
    if shown.status == "COMPLETED":
        for name, value in violations(limits, metrics).items():
            asked.set_constraint(name, value)
        shown.score, shown.best_step = running.measured[names[0]]
        asked.set_user_attr(STEP, shown.best_step)
        _tell(study, asked.number, [metrics[name] for name in names])
        return
    if shown.status == "PASSED":
        asked.set_user_attr(REASON, shown.message)
        asked.set_user_attr(PASSED, True)
        # Not failed: a sampler that learns from pruned trials keeps away from there.
        _tell(study, asked.number, None, TrialState.PRUNED)
        return
    if shown.status == "PRUNED":
        asked.set_user_attr(REASON, shown.message or "worse than others at this epoch")
        _tell(study, asked.number, None, TrialState.PRUNED)
        return
    if not wrong:
        message = (shown.message or "It failed without a message.")[-_LONGEST:]
        asked.set_user_attr(MESSAGE, message)
        asked.set_user_attr(REASON, message.strip().splitlines()[-1][:500])
        attempt = int(asked.user_attrs.get(ATTEMPT, 1))
        if shown.status == "INVALID" and attempt <= retries:
            asked.set_user_attr(OUT, f"tried again: it raised in attempt {attempt}")
            _tell(study, asked.number, None, TrialState.FAIL)
            again(study, asked.params, asked.user_attrs, attempt + 1)
            return
        asked.set_user_attr(CRASH, True)
        shown.status = "FAILED"
    _tell(study, asked.number, None, TrialState.FAIL)


def _tell(
    study: optuna.Study,
    number: int,
    values: list[float] | None,
    state: TrialState = TrialState.COMPLETE,
) -> None:
    study.tell(number, values, state=state, skip_if_finished=True)


def plain(metrics: Mapping[str, float]) -> dict[str, Any]:
    """Give metrics as JSON data: what is not finite as a word."""
    return {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}


def check_failures(trials: Sequence[FrozenTrial], most: int) -> None:
    """Check that not too many trials have crashed in a row, in the order in which they ended.

    One whose objective was not finite neither crashed nor ran well: it is passed over.

    Raises:
        RuntimeError: If so, with the error of the first of them.
    """
    ended = [
        (one.datetime_complete, one)
        for one in trials
        if one.state.is_finished() and one.datetime_complete is not None
    ]
    row: list[FrozenTrial] = []
    for _, one in sorted(ended, key=lambda pair: pair[0]):
        if one.state != TrialState.FAIL:
            row = []
        elif one.user_attrs.get(CRASH):
            row.append(one)
    if len(row) >= most:
        first = row[-most]
        raise RuntimeError(
            f"{most} trials in a row have failed, the most that `max_consecutive_failed_trials` "
            f"allows. The first of them, trial {name_of(first.number)} with "
            f"{first.user_attrs.get(VALUES, {})}:\n{first.user_attrs.get(MESSAGE, '')}"
        )


def passed_over(study: optuna.Study, since: int, most: int | None = None) -> list[FrozenTrial]:
    """Give the last configurations that were passed over, with no other trial since.

    Args:
        study: The study.
        since: Number of the first trial that counts.
        most: `max_model_size`: those passed over for a smaller one do not count.
    """
    row: list[FrozenTrial] = []
    for one in study.get_trials(deepcopy=False)[since:]:
        if PASSED in one.user_attrs:
            row += [one] if is_too_large(one, most) else []
        elif one.state.is_finished() and OUT not in one.user_attrs:
            row = []
    return row


def told_of(row: Sequence[FrozenTrial]) -> str:
    """Say that a search ends for nothing but models that are too large."""
    return (
        f"{len(row)} configurations in a row were passed over, so the search ends. The last of "
        f"them, {row[-1].user_attrs.get(VALUES, {})}: {row[-1].user_attrs[REASON]} Make the search "
        "space smaller, or `max_model_size` larger."
    )
