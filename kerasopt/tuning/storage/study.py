"""A search's study in its storage: opened, checked against what is there, and counted."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from kerasopt._core.checks import bad_value, did_you_mean
from kerasopt.tuning.storage.records import CRASH, VALUES, counts, is_too_large

if TYPE_CHECKING:
    from kerasopt.tuning.search_space.configurations import Config, Covered, Space

# To look at a study takes no TensorFlow: KerasTuner is imported where a space is read or written.
SPACE, BEGUN_WITH, SETTINGS = "kerasopt:space", "kerasopt:begun_with", "kerasopt:settings"

_WORDS: dict[str, Any] = {"min": "minimize", "max": "maximize"}


def open_study(
    storage: BaseStorage,
    name: str,
    objectives: Sequence[tuple[str, str]],
    limits: Mapping[str, tuple[float, float]],
) -> Study:
    """Open a study, or make it.

    Args:
        storage: Where it is kept.
        name: Its name.
        objectives: Name and direction of each objective.
        limits: By metric, the least and the largest value.

    Raises:
        ValueError: If there is one of that name with other objectives or constraints.
    """
    if optuna.logging.get_verbosity() == optuna.logging.INFO:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # a line a trial is said by us
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            directions=[_WORDS[direction] for _, direction in objectives],
            load_if_exists=True,
        )
        known = study.user_attrs.get(SETTINGS)
        plain = {
            "objectives": [list(one) for one in objectives],
            "constraints": {metric: list(limit) for metric, limit in sorted(limits.items())},
        }
        plain = json.loads(json.dumps(plain))
        found = [one.name.lower()[:3] for one in study.directions]
        if known is None and found == [direction for _, direction in objectives]:
            study.set_user_attr(SETTINGS, plain)
            study.set_metric_names([metric for metric, _ in objectives])
        elif known != plain:
            raise bad_value(
                "study_name",
                f"a study with {plain}, or a name that is new",
                name,
                f"The study of that name was begun with {known or {'directions': found}}. Take "
                "another name, or overwrite=True.",
            )
    return study


def find_study(storage: BaseStorage, name: str | None) -> Study:
    """Find a study that exists.

    Args:
        storage: Where it is kept.
        name: Its name; `None` for the only one there.

    Raises:
        ValueError: If it is not there, with those that are.
    """
    names = [one.study_name for one in optuna.get_all_study_summaries(storage)]
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        raise bad_value("study_name", f"one of {names}", name, did_you_mean(name, names))
    return optuna.load_study(study_name=name, storage=storage)


def delete_study(storage: BaseStorage, name: str) -> None:
    """Delete a study, if there is one of that name."""
    if name in [one.study_name for one in optuna.get_all_study_summaries(storage)]:
        optuna.delete_study(study_name=name, storage=storage)


def plain_space(hps: Sequence[Any]) -> list[dict[str, Any]]:
    """Give hyperparameters as JSON data."""
    import keras_tuner

    space = keras_tuner.HyperParameters()
    space.merge(list(hps))
    plain: list[dict[str, Any]] = json.loads(json.dumps(space.get_config()["space"]))
    return plain


def read_space(plain: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Make the hyperparameters of which `plain_space` gave the data."""
    import keras_tuner

    config = {"space": [dict(one) for one in plain], "values": {}}
    return list(keras_tuner.HyperParameters.from_config(config).space)


def check_space(name: str, before: Sequence[Mapping[str, Any]], hps: Sequence[Any]) -> None:
    """Check that a study was begun with the hyperparameters that a hypermodel has now.

    Raises:
        ValueError: If not, with the first few that differ.
    """
    old, new = ({_identity(one): one for one in space} for space in (before, plain_space(hps)))
    said = [f"{key[0]!r} is new" for key in new if key not in old]
    said += [f"{key[0]!r} is gone" for key in old if key not in new]
    said += [
        f"{key[0]!r} was {old[key]['config']} and is {new[key]['config']}"
        for key in new
        if key in old and old[key] != new[key]
    ]
    if said:
        raise bad_value(
            "hypermodel",
            f"the search space that the study {name!r} was begun with",
            f"{'; '.join(said[:4])}",
            "Go on with the hypermodel of then, or begin a new study: another project_name or "
            "study_name, or overwrite=True.",
        )


def _identity(plain: Mapping[str, Any]) -> tuple[str, str]:
    config = plain["config"]
    return config["name"], json.dumps(config.get("conditions", []), sort_keys=True)


def trials_of(study: Study) -> list[FrozenTrial]:
    """Give all trials that belong to the search, in the order of their numbers."""
    return [one for one in study.get_trials(deepcopy=False) if counts(one)]


def tried(study: Study, space: "Space", most: int | None = None) -> "set[Config]":
    """Give the configurations that have been tried, are being tried, or wait to be tried again.

    Args:
        study: The study.
        space: Its space.
        most: `max_model_size`: what was passed over for a smaller one has not been tried.
    """
    from kerasopt.tuning.search_space.configurations import config_of

    # What was declared later and is not tuned has its default in every trial.
    names = {hp.name for hp in space.hps}
    return {
        config_of({name: value for name, value in values.items() if name in names})
        for _, values in _taken(study, space, most)
    }


def covered(study: Study, space: "Space", most: int | None = None) -> "Covered":
    """Give the configurations of a grid that need no trial of their own, as far as is known now.

    A trial that crashed before it could ask for everything stands for the defaults of the rest.
    """
    from kerasopt.tuning.search_space.configurations import Covered

    names = {hp.name for hp in space.hps}
    found = []
    for one, values in _taken(study, space, most):
        known = {name: value for name, value in values.items() if name in names}
        if one.user_attrs.get(CRASH):
            known = _with_defaults(space, known)
        found.append(known)
    return Covered(found)


def _with_defaults(space: "Space", known: Mapping[str, Any]) -> dict[str, Any]:
    return space.walk(lambda hp, _: known.get(hp.name, hp.default))


def _taken(
    study: Study, space: "Space", most: int | None
) -> Iterator[tuple[FrozenTrial, dict[str, Any]]]:
    for one in study.get_trials(deepcopy=False):
        large = is_too_large(one, most)
        if not (counts(one) or large or one.state == TrialState.WAITING):
            continue
        if VALUES in one.user_attrs:
            yield one, one.user_attrs[VALUES]
        elif one.state != TrialState.WAITING and one.params:
            yield one, space.values(one.params)
