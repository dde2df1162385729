"""The command `tune status`: how a search stands, without its model's code or TensorFlow."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import click
import optuna
from optuna.trial import FrozenTrial, TrialState

from kerasopt._checks import bad_value
from kerasopt._text import columns
from kerasopt.cli.settings import plain, read
from kerasopt.cli.settings import COMMAND
from kerasopt.cli.studies import Place, names_in
from kerasopt.tuning.liveness import has_ended
from kerasopt.tuning.progress import duration
from kerasopt.tuning.records import BEAT, OWNER, Record, front_of, ranked, record_of
from kerasopt.tuning.study import SETTINGS, find_study, trials_of
from kerasopt.tuning.table import table_of

_HEARTBEAT = 15.0  # seconds between two signs of life, as `OptunaOracle` has them by default
_ORDER = ("COMPLETED", "PRUNED", "FAILED", "RUNNING", "WAITING")


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
        raise bad_value("storage", "a file that exists", str(place), "Nothing has been begun there.")
    opened = place.open()
    names = names_in(opened)
    if not names:
        raise bad_value("storage", "a storage with a study", str(place), "There is none in it.")
    several = study_name is None and len(names) > 1
    studies = [find_study(opened, name) for name in (names if several else [study_name])]
    found = [{"storage": str(place), **_facts(one)} for one in studies]
    if as_json:
        every = {"storage": str(place), "studies": found} if several else found[0]
        click.echo(json.dumps(plain(every), indent=2))
    elif several:
        click.echo(f"{len(found)} studies in {place}; --study-name shows one.\n")
        click.echo(_list(found))
    else:
        click.echo(_text(found[0]))


def _facts(study: optuna.Study) -> dict[str, Any]:
    """Give all that is known of a study."""
    kept = study.user_attrs
    settings = kept.get(SETTINGS) or {
        "objectives": [
            [f"value {place}", one.name.lower()[:3]] for place, one in enumerate(study.directions)
        ],
        "constraints": {},
    }
    trials = trials_of(study)
    records = [record_of(one) for one in trials]
    directions = [direction for _, direction in settings["objectives"]]
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    states = Counter([one.state for one in records] + ["WAITING"] * len(waiting))
    best = ranked(records, directions)
    return {
        "study": study.study_name,
        "objectives": settings["objectives"],
        "constraints": settings["constraints"],
        "max_trials": read(kept.get(COMMAND, {}), None).get("max_trials"),
        "trials": {name: states[name] for name in _ORDER if states[name]},
        "best": best[0].to_dict() if best else None,
        "pareto_front": [one.to_dict() for one in front_of(records, directions)]
        if len(directions) > 1
        else [],
        "running": [_running(one) for one in trials if one.state == TrialState.RUNNING],
        "failed": [
            {"trial": one.id, "reason": one.reason, "values": one.values}
            for one in records
            if one.state == "FAILED"
        ],
    }
