"""One trial asked of a study, and whether it is one too many."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from kerasopt._core.checks import bad_type, bad_value
from kerasopt.tuning.sampling.distinct import Distinct
from kerasopt.tuning.search_space.axes import Axis
from kerasopt.tuning.search_space.configurations import Space, config_of
from kerasopt.tuning.storage.records import VALUES
from kerasopt.tuning.storage.study import trials_of

_PATIENCE = 5.0  # seconds that another process has to write down which configuration it has


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    """Have a value suggested for each hyperparameter that is active, in order."""
    return space.walk(lambda _, axis: axis.value(_suggest(trial, axis)))


def _suggest(trial: optuna.Trial, axis: Axis) -> Any:
    at = axis.distribution
    if isinstance(at, CategoricalDistribution):
        return trial.suggest_categorical(axis.key, at.choices)
    if isinstance(at, IntDistribution):
        return trial.suggest_int(axis.key, at.low, at.high, step=at.step, log=at.log)
    assert isinstance(at, FloatDistribution)
    return trial.suggest_float(axis.key, at.low, at.high, step=at.step, log=at.log)


def note_new(trial: optuna.Trial, space: Space, values: dict[str, Any]) -> None:
    """Have the study know the values of hyperparameters that the trial itself declared.

    Without them a sampler would take the trial for one of another space.
    """
    sampler = trial.study.sampler
    assert isinstance(sampler, Distinct)
    names = {hp.name for hp in space.hps}
    sampler.given = space.params({name: values[name] for name in names & set(values)})
    try:
        missing = [
            axis
            for _, axis in space.active(values)
            if axis is not None and axis.key in sampler.given and axis.key not in trial.params
        ]
        for axis in missing:
            _suggest(trial, axis)
    finally:
        sampler.given = {}


def surplus(
    study: optuna.Study, number: int, most: int, space: Space, values: dict[str, Any]
) -> str | None:
    """Tell why a trial is not needed, because another process was faster; `None` if it is.

    Of two processes that ask at the same moment the one with the smaller number goes on.

    Args:
        study: The study.
        number: The trial's number.
        most: How many trials the search has.
        space: Its space.
        values: The trial's values.
    """
    before = [one for one in trials_of(study) if one.number < number]
    if len(before) >= most:
        return "withdrawn: the search has all its trials"
    if not values:
        return None
    begun = time.monotonic()
    while (
        space.size() is not None
        and any(VALUES not in one.user_attrs and not one.state.is_finished() for one in before)
        and (time.monotonic() - begun < _PATIENCE)
    ):
        time.sleep(0.02)
        before = [one for one in trials_of(study) if one.number < number]
    same = [
        one.number
        for one in before
        if VALUES in one.user_attrs and config_of(one.user_attrs[VALUES]) == config_of(values)
    ]
    return f"withdrawn: the same as trial {same[0]}" if same else None


def exhausted(study: optuna.Study, space: Space, whole: bool, tried: Callable[[], Any]) -> bool:
    """Tell whether every configuration of the space has been tried or is being tried.

    Args:
        study: The study.
        space: The space as it is known now.
        whole: Whether it is to be gone through however large it is, as a grid.
        tried: Gives the configurations that have been tried or are being tried: `Covered` for a
            grid, else a set.
    """
    states = {one.state for one in study.get_trials(deepcopy=False)}
    if not space.hps:  # trials may declare it, if only one got so far
        return TrialState.COMPLETE in states or (whole and TrialState.RUNNING in states)
    if TrialState.WAITING in states or (space.size() is None and not whole):
        return False
    if next(space.configurations(), None) is None:
        return False
    known = tried()
    if whole:
        return all(one in known for one in space.configurations())
    return all(config_of(one) in known for one in space.configurations())


def check_initial(initial: Any) -> list[dict[str, Any]]:
    """Check an `initial` argument; an empty dict stands for all defaults.

    Raises:
        TypeError: If it is neither a list of dicts nor a word.
        ValueError: If it is another word than `"default"`.
    """
    if initial is None:
        return []
    expected = '"default" or a list of dicts of hyperparameter -> value'
    if isinstance(initial, str):
        if initial != "default":
            raise bad_value("initial", expected, initial)
        return [{}]
    if not isinstance(initial, Sequence) or not all(
        isinstance(one, Mapping) and one for one in initial
    ):
        raise bad_type("initial", expected, initial)
    return [dict(one) for one in initial]
