"""PQuantML, in an environment of its own: one JSON question in, one JSON answer out.

`__main__.py` runs it, with the Python it was given; it is not for calling by hand. What
needs Keras alone is asked of both environments.
"""

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Without the root, which has kerasopt: these scripts are for environments that may lack it.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pruning.models import compiled, noise
from pruning.pquant.training import OURS, callbacks_of, functional, times, train
from pruning.training import judged, load, weights_of


def versions() -> dict[str, str]:
    """Tell what runs here."""
    import keras
    import tensorflow as tf
    from pquant._version import version

    return {"PQuantML": version, "TensorFlow": tf.__version__, "Keras": keras.__version__}


def save_ours(weights: str, path: str, saved: str) -> bool:
    """Save a model of ours: one that `Pruning` has trained, with the weights of a recorded run."""
    import keras

    shape = load(path)["x_train"].shape[1:]
    model = compiled(keras, functional(shape))
    job = {"method": OURS, "pruning": {"frequency": 1}}
    model.fit(noise(shape, 3), verbose=0, callbacks=callbacks_of(job, 3))
    model.set_weights(weights_of(load(weights)))
    model.save(saved)
    return True


def load_alone(saved: str, path: str, package: str, use: bool = False) -> dict[str, Any]:
    """Load a saved model, with its package or without; tell the error or the accuracy."""
    import keras

    if use:
        importlib.import_module(package)
    elif importlib.util.find_spec(package):
        raise RuntimeError(f"{package} is installed here: nothing can be told about loading alone")
    try:
        model = keras.saving.load_model(saved)
        found = judged(model, load(path), {"judge": ["test"], "store": ""})["test"]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"test": found}


ANSWERS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (versions, train, times, save_ours, load_alone)
}

if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    asked = json.load(sys.stdin)
    answers.write(json.dumps(ANSWERS[asked.pop("what")](**asked)))
    answers.close()
