"""Oracles, ours and KerasTuner's, driven without a tuner. Runs in a process of its own."""

import tempfile
import time
from typing import Any

from benchmarks.search.functions import FUNCTIONS

OURS = {"random, ours": "random", "TPE, ours": "tpe", "GP, ours": "gp"}
PLAIN = "TPE, Optuna alone"
KERASTUNER = {
    "random, KerasTuner": "RandomSearchOracle",
    "Bayesian, KerasTuner": "BayesianOptimizationOracle",
}


def oracle_of(kind: str, declare: Any, trials: int, seed: int) -> Any:
    """Make an oracle, with the study in memory or its files in a new folder."""
    import keras_tuner
    from keras_tuner import oracles

    from kerasopt.tuning import OptunaOracle

    space = keras_tuner.HyperParameters()
    declare(space)
    goal = keras_tuner.Objective("value", "min")
    if kind in OURS:
        oracle: Any = OptunaOracle(
            goal, trials, OURS[kind], "memory", seed=seed, hyperparameters=space
        )
    else:
        # KerasTuner takes a seed of 0 for none, and draws trial n with seed + n: neighbouring seeds
        # would give nearly the same trials.
        oracle = getattr(oracles, KERASTUNER[kind])(
            objective=goal, max_trials=trials, seed=1 + 1000 * seed, hyperparameters=space
        )
    oracle.verbose = 0
    oracle._set_project_dir(tempfile.mkdtemp(dir="."), "oracle")
    return oracle


def curve(kind: str, function: str, trials: int, seed: int) -> dict[str, Any]:
    """Give the value of each trial of a search, and how long it took."""
    chosen = FUNCTIONS[function]
    begun = time.perf_counter()
    oracle = oracle_of(kind, chosen.declare, trials, seed)
    values = []
    for _ in range(trials):
        trial = oracle.create_trial("benchmark")
        values.append(chosen.value(trial.hyperparameters.values))
        _end(oracle, trial, values[-1])
    return {"values": values, "seconds": time.perf_counter() - begun}


def curves(kind: str, function: str, trials: int, seeds: list[int]) -> list[dict[str, Any]]:
    """Give `curve` for several seeds, one after the other."""
    return [curve(kind, function, trials, seed) for seed in seeds]


def suggestions(kind: str, function: str, at: list[int], repeats: int, limit: float) -> Any:
    """Time how long an oracle takes for a suggestion when it knows so many trials.

    Trials in between are sampled at random, so that what is timed is what they were not.

    Args:
        kind: Which oracle.
        function: Of which space.
        at: Numbers of trials, ascending.
        repeats: Suggestions timed at each number.
        limit: Seconds of one suggestion above which larger numbers are left out.

    Returns:
        By number the seconds of each suggestion.
    """
    chosen = FUNCTIONS[function]
    if kind == PLAIN:
        return _plain(chosen, at, repeats)
    found: dict[int, list[float]] = {}
    oracle = oracle_of(kind, chosen.declare, max(at) + repeats + 1, 0)
    known = 0
    for number in at:
        _fill(oracle, chosen, kind, number - known)
        found[number] = []
        for _ in range(repeats):
            begun = time.perf_counter()
            trial = oracle.create_trial("benchmark")
            found[number].append(time.perf_counter() - begun)
            _end(oracle, trial, chosen.value(trial.hyperparameters.values))
            if sum(found[number]) > limit:
                break
        known = number + len(found[number])
        if max(found[number]) > limit:
            break
    return found


def _fill(oracle: Any, chosen: Any, kind: str, count: int) -> None:
    """Have random trials known to an oracle."""
    import optuna

    if kind in OURS:
        sampler = oracle.study.sampler
        own, sampler.sampler = sampler.sampler, optuna.samplers.RandomSampler(seed=1)
    else:
        own = oracle.populate_space
        oracle.populate_space = lambda _: {"status": "RUNNING", "values": oracle._random_values()}
    for _ in range(count):
        trial = oracle.create_trial("benchmark")
        _end(oracle, trial, chosen.value(trial.hyperparameters.values))
    if kind in OURS:
        sampler.sampler = own
    else:
        oracle.populate_space = own


def _end(oracle: Any, trial: Any, value: float) -> None:
    oracle.update_trial(trial.trial_id, {"value": value})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def _plain(chosen: Any, at: list[int], repeats: int) -> dict[int, list[float]]:
    """Time Optuna's sampler of our default settings with its own loop."""
    import keras_tuner
    import optuna

    from kerasopt.tuning.oracle.ask import suggest
    from kerasopt.tuning.sampling.samplers import make_sampler
    from kerasopt.tuning.search_space.configurations import Space

    space = keras_tuner.HyperParameters()
    chosen.declare(space)
    axes = Space(space.space)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=make_sampler("tpe", 0))
    own = study.sampler
    found: dict[int, list[float]] = {}
    for number in at:
        study.sampler = optuna.samplers.RandomSampler(seed=1)
        while len(study.get_trials(deepcopy=False)) < number:
            trial = study.ask()
            study.tell(trial, chosen.value(suggest(trial, axes)))
        study.sampler, found[number] = own, []
        for _ in range(repeats):
            begun = time.perf_counter()
            trial = study.ask()
            values = suggest(trial, axes)
            found[number].append(time.perf_counter() - begun)
            study.tell(trial, chosen.value(values))
    return found
