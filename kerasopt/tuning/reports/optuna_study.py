"""Trials as a study in memory that holds what a person calls the values, for Optuna's own tools."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial

from kerasopt._core.checks import bad_value, one_of
from kerasopt.tuning.storage.records import Record
from kerasopt.tuning.storage.storages import open_storage, safe_name

_WORDS: dict[str, Any] = {"min": "minimize", "max": "maximize"}


def copied(
    records: Sequence[Record], goals: Sequence[tuple[str, str]], name: str, storage: Any = None
) -> optuna.Study:
    """Give the completed trials as a study in a storage of its own.

    Args:
        records: The trials; others are left out.
        goals: Name and direction of each objective.
        name: Of the study.
        storage: As `open_storage` takes it. Defaults to `None`: in memory.

    Raises:
        ValueError: If the storage holds a study of that name.
    """
    where = open_storage("memory" if storage is None else storage, ".")
    if name in optuna.get_all_study_names(where):
        raise bad_value(
            "storage", f"one without a study {name!r}, such as a new file", safe_name(storage)
        )
    return view(records, goals, name, where)


def view(
    records: Sequence[Record],
    goals: Sequence[tuple[str, str]],
    name: str | None = None,
    storage: Any = None,
) -> optuna.Study:
    """Give the completed trials as a study.

    Args:
        records: The trials; others are left out.
        goals: Name and direction of each objective.
        name: Of the study. Defaults to `None`: Optuna finds one.
        storage: A storage of Optuna. Defaults to `None`: in memory.
    """
    done = [one for one in records if one.state == "COMPLETED" and one.objectives]
    names = list(dict.fromkeys(name for one in done for name in one.values))
    kinds = {name: _distribution([one.values[name] for one in done if name in one.values])
             for name in names}  # fmt: skip
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=[_WORDS[direction] for _, direction in goals],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([name for name, _ in goals])
    for one in done:
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                values=list(one.objectives or ()),
                params=dict(one.values),
                distributions={name: kinds[name] for name in one.values},
            )
        )
    return study


def _distribution(values: Sequence[Any]) -> BaseDistribution:
    if any(isinstance(value, (bool, str)) for value in values):
        return CategoricalDistribution(sorted(set(values), key=str))
    if all(isinstance(value, int) for value in values):
        return IntDistribution(min(values), max(values), log=_wide(values))
    return FloatDistribution(min(values), max(values), log=_wide(values))


def _wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > 30


def importances_of(
    records: Sequence[Record], goals: Sequence[tuple[str, str]], objective: str | None = None
) -> dict[str, float]:
    """Tell how much each hyperparameter matters, the most important first.

    Args:
        records: The trials.
        goals: Name and direction of each objective.
        objective: Name of one of them. Defaults to `None`: the first.

    Raises:
        ValueError: If fewer than two trials have been completed.
    """
    names = [name for name, _ in goals]
    place = names.index(one_of("objective", objective or names[0], names))
    study = view(records, goals)
    done = study.get_trials(deepcopy=False)
    if len(done) < 2:
        raise bad_value("trials", "at least two that were completed", len(done))
    every = dict.fromkeys(name for one in done for name in one.params)
    varied = [name for name in every if len({one.params.get(name) for one in done}) > 1]
    if not varied:
        return {}
    # With a target of one's own the importances are those for low values.
    sign = -1.0 if goals[place][1] == "max" else 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(
            study, params=varied, target=lambda one: sign * one.values[place]
        )
    if not all(math.isfinite(value) for value in found.values()):
        return {}
    return {name: float(value) for name, value in found.items()}
