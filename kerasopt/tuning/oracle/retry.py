"""Trials that are tried again: those whose process has ended, and those that raised."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from kerasopt.tuning import _optuna
from kerasopt.tuning.oracle.heartbeat import Watch
from kerasopt.tuning.oracle.ownership import Running, is_left
from kerasopt.tuning.storage.records import (
    ATTEMPT,
    BEAT,
    CRASH,
    MESSAGE,
    OUT,
    OWNER,
    REASON,
    VALUES,
    name_of,
)

MOST_LOSSES = 3
"""A trial whose process ended so often without a word has failed."""


def give_up_the_dead(study: optuna.Study, mine: Mapping[str, Running], watch: Watch) -> None:
    """Let trials be run again whose process has ended, or gives no sign of life any more.

    Args:
        study: The study.
        mine: The trials of this process, by name.
        watch: Of the signs of life of other machines.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        owner = trial.user_attrs.get(OWNER)
        if OUT in trial.user_attrs or name_of(trial.number) in mine:
            continue
        if owner is not None and is_left(owner):
            lose(study, trial, "its process ended")
        elif watch.silent(trial.number, trial.user_attrs.get(BEAT)):
            lose(study, trial, f"no sign of life for {watch.grace:.0f} seconds")


def lose(study: optuna.Study, trial: FrozenTrial, why: str, free: bool = False) -> None:
    """Have a trial run again whose process has ended, unless that has happened too often.

    Several processes may see it at once; one of them does it.

    Args:
        study: The study.
        trial: The trial, which is still marked as running.
        why: What happened.
        free: Whether it does not count, because the process ended it in good order.
    """
    attempt = int(trial.user_attrs.get(ATTEMPT, 1))
    last = attempt >= MOST_LOSSES and not free
    # Public methods of a study say nothing of who came first; the storage's answer does.
    storage, number = _optuna.storage_of(study), _optuna.id_of(trial)
    try:
        if last:
            said = f"{why}, {attempt} times in a row (killed, perhaps for lack of memory)"
            storage.set_trial_user_attr(number, REASON, said)
            storage.set_trial_user_attr(number, MESSAGE, f"Trial {name_of(trial.number)}: {said}")
            storage.set_trial_user_attr(number, CRASH, True)
        else:
            storage.set_trial_user_attr(number, OUT, f"lost: {why}")
        if not storage.set_trial_state_values(number, TrialState.FAIL):
            return
    except optuna.exceptions.UpdateFinishedTrialError:
        return
    if not last:
        again(study, trial.params, trial.user_attrs, attempt if free else attempt + 1)


def again(
    study: optuna.Study, params: Mapping[str, Any], kept: Mapping[str, Any], attempt: int
) -> None:
    """Let a configuration be the next one that is asked for."""
    attributes: dict[str, Any] = {ATTEMPT: attempt}
    if VALUES in kept:
        attributes[VALUES] = kept[VALUES]
    study.enqueue_trial(dict(params), user_attrs=attributes)
