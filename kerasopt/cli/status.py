"""The command `tune status`: how a search stands, without its model's code or TensorFlow."""

import json
from typing import Any

import click
import optuna
from optuna.trial import TrialState

from kerasopt._checks import bad_value
from kerasopt._text import columns
from kerasopt.cli.settings import plain
from kerasopt.cli.standing import counts_of, facts_of, goals_of, most_of, running_of
from kerasopt.cli.studies import Place, names_in
from kerasopt.tuning.progress import duration
from kerasopt.tuning.records import Record, front_of, ranked, record_of
from kerasopt.tuning.study import SETTINGS, find_study, trials_of
from kerasopt.tuning.table import table_of

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
