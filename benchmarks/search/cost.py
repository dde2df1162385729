"""What a tuner costs beside the training: time of a trial, memory. Runs in a process of its own."""

import itertools
import os
import time
from pathlib import Path
from typing import Any

MEMORY, JOURNAL, KERASTUNER, NONE = (
    "ours, study in memory",
    "ours, journal file",
    "KerasTuner",
    "without a tuner",
)
RENEWED = "ours, a process for 25 trials"


def tuner_of(kind: str, hypermodel: Any, trials: int, seed: int = 1) -> Any:
    """Make the random search of a side in this folder."""
    import keras_tuner

    from kerasopt.tuning import RandomSearch

    names: dict[str, Any] = {"directory": ".", "project_name": "search", "seed": seed}
    if kind == KERASTUNER:
        return keras_tuner.RandomSearch(hypermodel, "val_loss", trials, **names)
    if kind == MEMORY:
        names["storage"] = "memory"
    return RandomSearch(hypermodel, "val_loss", trials, **names)


def overhead(kind: str, trials: int, trains: bool) -> dict[str, Any]:
    """Time so many trials of a trivial model.

    Returns:
        `seconds`: per trial, from one `fit` to the next, after three trials that warm up;
        `cpu`: CPU seconds of the whole search.
    """
    import keras_tuner

    import kerasopt.tuning.keras_tuner_tuners  # noqa: F401
    from benchmarks.search.models import Trivial

    hypermodel = Trivial(trains)
    trials += 4
    if kind == NONE:
        hp = keras_tuner.HyperParameters()
        hypermodel.build(hp)
        begun = time.process_time()
        for number in range(trials):
            hp.values["units"] = 1 + number % 64
            hypermodel.fit(hp, hypermodel.build(hp))
    else:
        tuner = tuner_of(kind, hypermodel, trials)
        begun = time.process_time()
        tuner.search(verbose=0)
    used = time.process_time() - begun
    at = hypermodel.at[3:]
    return {
        "seconds": [after - before for before, after in itertools.pairwise(at)],
        "cpu": used / trials,
    }


def memory(kind: str, trials: int) -> dict[str, Any]:
    """Run trials of a small network.

    Returns:
        Bytes: `after`, resident after each trial, of the process that ran it; `peak`, the most of
        all processes of the search together, mapped files once; `seconds`.
    """
    import keras
    import keras_tuner

    from benchmarks.common.memory import TreePeak
    from benchmarks.search.models import RSS, Small

    folder = os.getcwd()
    begun = time.perf_counter()
    with TreePeak(os.getpid()) as peak:
        if kind == NONE:
            hypermodel, hp = Small(folder), keras_tuner.HyperParameters()
            for _ in range(trials):
                keras.utils.clear_session()
                hypermodel.fit(hp, hypermodel.build(hp))
        elif kind == RENEWED:
            tuner_of(JOURNAL, Small(folder), trials).search(verbose=0, trials_per_process=25)
        else:
            tuner_of(kind, Small(folder), trials).search(verbose=0)
    return {
        "after": [int(line) for line in Path(folder, RSS).read_text().split()],
        "peak": peak.once,
        "seconds": time.perf_counter() - begun,
    }


def search(workers: int, trials: int, epochs: int) -> dict[str, Any]:
    """Time a search of trials of equal length.

    Returns:
        `seconds`: of `search`, with the start of the workers; `running`: from the begin of the
        first trial to the end of the last one; `trial`: median of a trial; `done`: how many were
        completed; `load`: of the machine before.
    """
    import numpy as np

    from benchmarks.search.models import Steady
    from kerasopt.tuning import RandomSearch

    load = os.getloadavg()[0]
    tuner = RandomSearch(
        Steady(epochs), "val_loss", trials, seed=0, directory=".", project_name="search"
    )
    begun = time.perf_counter()
    tuner.search(verbose=0, workers=workers)
    seconds = time.perf_counter() - begun
    ran = tuner.oracle.study.get_trials(deepcopy=False)
    first = min(one.datetime_start for one in ran)
    last = max(one.datetime_complete for one in ran)
    return {
        "seconds": seconds,
        "running": (last - first).total_seconds(),
        "trial": float(np.median([one.seconds for one in tuner.results()])),
        "done": sum(one.state == "COMPLETED" for one in tuner.results()),
        "load": load,
    }


def alone(trials: int, epochs: int) -> float:
    """Give the seconds of the same builds and fits without a tuner, after one that warms up."""
    import keras_tuner

    from benchmarks.search.models import Steady

    hypermodel, hp = Steady(epochs), keras_tuner.HyperParameters()
    begun = 0.0
    for number in range(trials + 1):
        if number == 1:
            begun = time.perf_counter()
        hypermodel.fit(hp, hypermodel.build(hp))
    return time.perf_counter() - begun
