#!/usr/bin/env bash
# KerasTuner 1.4.8: a GridSearch that was broken off in a trial cannot go on: KeyError.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" \
  keras-tuner==1.4.8 keras==3.15.1 tensorflow==2.21.0 tensorboard scikit-learn scipy
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import keras_tuner

print("keras-tuner", version("keras-tuner"), "keras", keras.__version__)


class Space(keras_tuner.HyperModel):
    """Six combinations, of which none needs training; Ctrl-C comes in one of the trials."""

    def __init__(self, interrupted=0):
        super().__init__()
        self.interrupted, self.trials = interrupted, 0

    def build(self, hp):
        hp.Int("units", 1, 6)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp, model, *args, **kwargs):
        self.trials += 1
        if self.trials == self.interrupted:
            raise KeyboardInterrupt
        return {"score": float(hp.get("units"))}


def search(hypermodel):
    objective = keras_tuner.Objective("score", "max")
    tuner = keras_tuner.GridSearch(hypermodel, objective, directory=".", project_name="grid")
    tuner.search(verbose=0)
    return tuner


try:
    search(Space(interrupted=3))
except KeyboardInterrupt:
    print("broken off in the third trial")
try:
    tuner = search(Space())
except KeyError as error:
    print("started again: KeyError", error)
else:
    sys.exit(f"changed: it went on, and has {len(tuner.oracle.trials)} trials")
PY
