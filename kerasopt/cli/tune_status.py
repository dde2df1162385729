"""The command `tune status`: how a search stands, without its model's code or TensorFlow."""

import json
import time
from collections import Counter
from datetime import datetime
from typing import Any

import click
import optuna
from optuna.trial import FrozenTrial, TrialState

from kerasopt._core.checks import bad_value
from kerasopt._core.display import columns
from kerasopt.cli.studies import Place, names_in
from kerasopt.cli.tune_settings import COMMAND, plain
from kerasopt.tuning.oracle.heartbeat import has_ended
from kerasopt.tuning.reports.progress import duration
from kerasopt.tuning.reports.search_report import table_of
from kerasopt.tuning.storage.records import (
    BEAT,
    OWNER,
    VALUES,
    Record,
    front_of,
    name_of,
    ranked,
    record_of,
)
from kerasopt.tuning.storage.study import SETTINGS, find_study, trials_of

_ROWS = 10


def status(
    storage: str | None, study_name: str | None, directory: str | None, as_json: bool
) -> None:
    """Print how a search stands; of several in one storage, a list.

    Args:
        storage: As in `Place`.
        study_name: As in `Place`.
        directory: As in `Place`.
        as_json: Whether it is printed as JSON.

    Raises:
        UsageError: If the storage cannot be reached.
        ValueError: If there is no such study.
    """
    place = Place(storage, directory, study_name)
    if not place.exists():
        expected = "a file that exists"
        raise bad_value("storage", expected, str(place), "No search has been begun there.")
    opened = place.open()
    names = names_in(opened)
    if not names:
        raise bad_value("storage", "a storage with a study", str(place), "There is none in it.")
    several = study_name is None and len(names) > 1
    studies = [find_study(opened, name) for name in (names if several else [study_name])]
    if not as_json:
        click.echo(_list(studies, place) if several else _text(studies[0], place))
        return
    found = [{"storage": str(place), **facts_of(one)} for one in studies]
    every = {"storage": str(place), "studies": found} if several else found[0]
    click.echo(json.dumps(plain(every), indent=2))


def _text(study: optuna.Study, place: Place) -> str:
    trials, goals = trials_of(study), goals_of(study)
    records = [record_of(one) for one in trials]
    words = [direction for _, direction in goals]
    limits = study.user_attrs.get(SETTINGS, {}).get("constraints", {})
    lines = [
        f"study:       {study.study_name!r} in {place}",
        "objectives:  " + ", ".join(f"{name} ({direction})" for name, direction in goals),
        *(["constraints: " + ", ".join(_limit(*one) for one in limits.items())] if limits else []),
        f"trials:      {_share(study, records)}",
    ]
    front = front_of(records, words)[:_ROWS] if len(goals) > 1 else []
    best = front or ranked(records, words)[:1]
    if best:
        head = "Pareto front" if front else "Best so far"
        lines += ["", head, table_of(best, goals)]
    running = [running_of(one) for one in trials if one.state == TrialState.RUNNING]
    if running:
        rows = [["trial", "host", "process", "for", "last sign of life"]]
        rows += [
            [one["trial"], one["host"], str(one["pid"]), duration(one["seconds"]), _sign(one)]
            for one in running
        ]
        lines += ["", "Running now", columns(rows)]
    failed = [one for one in records if one.state == "FAILED"]
    if failed:
        lines += ["", "Failed", *(f"{one.id}  {one.reason}" for one in failed[-_ROWS:])]
        lines += [f"and {len(failed) - _ROWS} before"] if len(failed) > _ROWS else []
    return "\n".join(lines)


def _list(studies: list[optuna.Study], place: Place) -> str:
    rows = [["study", "trials", "best", "objectives"]]
    for study in studies:
        goals = goals_of(study)
        records = [record_of(one) for one in trials_of(study)]
        best = ranked(records, [direction for _, direction in goals])
        values = (best[0].objectives or ()) if best else ()
        rows.append(
            [
                study.study_name,
                _share(study, records),
                ", ".join(f"{value:.5g}" for value in values),
                ", ".join(f"{name} ({direction})" for name, direction in goals),
            ]
        )
    return f"{len(studies)} studies in {place}; --study-name shows one.\n\n{columns(rows)}"


def _share(study: optuna.Study, records: list[Record]) -> str:
    most, counts = most_of(study), counts_of(study, records)
    said = ", ".join(f"{count} {name.lower()}" for name, count in counts.items())
    return f"{len(records)}{f' of {most}' if most else ''}{said and f': {said}'}"


def _limit(name: str, pair: tuple[float, float]) -> str:
    least, largest = plain(pair)
    low = "" if least is None else f"{least:g} <= "
    return f"{low}{name}{'' if largest is None else f' <= {largest:g}'}"


def _sign(one: dict[str, Any]) -> str:
    if one["ended"]:
        return "its process has ended; it will be run again"
    return f"{duration(one['silent_seconds'])} ago"


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
