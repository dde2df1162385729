"""What a tuner costs beside the training: time of a trial, memory. Runs in `search_child.py`."""

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
    from search_models import Trivial

    import kerasopt.tuning.keras_tuner_tuners  # noqa: F401

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
    from export_process import Peak
    from search_models import RSS, Small

    folder = os.getcwd()
    begun = time.perf_counter()
    with Peak(os.getpid()) as peak:
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
