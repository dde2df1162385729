"""How a search stands, as plain data."""

import time
from collections import Counter
from datetime import datetime
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from kerasopt.cli.settings import COMMAND
from kerasopt.tuning.liveness import has_ended
from kerasopt.tuning.records import (
    BEAT,
    OWNER,
    VALUES,
    Record,
    front_of,
    name_of,
    ranked,
    record_of,
)
from kerasopt.tuning.study import SETTINGS, trials_of

_STATES = ("COMPLETED", "PRUNED", "FAILED", "RUNNING", "WAITING")


def goals_of(study: optuna.Study) -> list[tuple[str, str]]:
    """Give name and direction of each objective, also of a study that is not ours."""
    settings = study.user_attrs.get(SETTINGS)
    if settings is not None:
        return [(name, direction) for name, direction in settings["objectives"]]
    words = [one.name.lower()[:3] for one in study.directions]
    names = study.metric_names or [f"value {place}" for place in range(len(words))]
    return list(zip(names, words, strict=True))


def counts_of(study: optuna.Study, records: list[Record]) -> dict[str, int]:
    """Give by state how many trials there are."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    found = Counter([one.state for one in records] + ["WAITING"] * len(waiting))
    return {name: found[name] for name in _STATES if found[name]}


def most_of(study: optuna.Study) -> int | None:
    """Give how many trials there will be, if `kerasopt tune` has begun the search."""
    most: int | None = study.user_attrs.get(COMMAND, {}).get("max_trials")
    return most


def running_of(trial: FrozenTrial) -> dict[str, Any]:
    """Tell of a trial that runs who runs it, for how long, and when that was last heard of."""
    owner = trial.user_attrs.get(OWNER, {})
    begun = trial.datetime_start or datetime.now()
    # Clocks of two machines may differ a little.
    seconds = max(0.0, (datetime.now() - begun).total_seconds())
    beat = trial.user_attrs.get(BEAT)
    silent = seconds if beat is None else max(0.0, time.time() - beat[1])
    return {
        "trial": name_of(trial.number),
        "host": owner.get("host", ""),
        "pid": owner.get("pid"),
        "seconds": seconds,
        "silent_seconds": silent,
        "ended": bool(owner) and has_ended(owner),
        "values": dict(trial.user_attrs.get(VALUES, {})),
    }


def facts_of(study: optuna.Study) -> dict[str, Any]:
    """Give all that is known of a study, as plain data."""
    trials, goals = trials_of(study), goals_of(study)
    records = [record_of(one) for one in trials]
    words = [direction for _, direction in goals]
    best = ranked(records, words)
    front = front_of(records, words) if len(goals) > 1 else []
    return {
        "study": study.study_name,
        "objectives": goals,
        "constraints": study.user_attrs.get(SETTINGS, {}).get("constraints", {}),
        "max_trials": most_of(study),
        "trials": counts_of(study, records),
        "best": best[0].to_dict() if best else None,
        "pareto_front": [one.to_dict() for one in front],
        "running": [running_of(one) for one in trials if one.state == TrialState.RUNNING],
        "failed": [
            {"trial": one.id, "reason": one.reason, "values": one.values}
            for one in records
            if one.state == "FAILED"
        ],
    }
