"""One worker and two: the same search; and the same trainings alone. Runs in `search_child.py`."""

import os
import time
from typing import Any


def search(workers: int, trials: int, epochs: int) -> dict[str, Any]:
    """Time a search of trials of equal length.

    Returns:
        `seconds`: of `search`, with the start of the workers; `running`: from the begin of the
        first trial to the end of the last one; `trial`: median of a trial; `done`: how many were
        completed; `load`: of the machine before.
    """
    import numpy as np
    from search_models import Steady

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
    from search_models import Steady

    hypermodel, hp = Steady(epochs), keras_tuner.HyperParameters()
    begun = 0.0
    for number in range(trials + 1):
        if number == 1:
            begun = time.perf_counter()
        hypermodel.fit(hp, hypermodel.build(hp))
    return time.perf_counter() - begun
