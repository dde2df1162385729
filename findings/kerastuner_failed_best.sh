#!/usr/bin/env bash
# KerasTuner 1.4.8: a search in which every trial failed ends as others do, and
# `get_best_hyperparameters` gives the values of one of them. Failed trials also fill up a longer
# list of the best.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" \
  keras-tuner==1.4.8 keras==3.15.1 tensorflow==2.21.0 tensorboard scikit-learn scipy
python - <<'PY'
import math
import sys
from importlib.metadata import version

import keras
import keras_tuner

print("keras-tuner", version("keras-tuner"), "keras", keras.__version__)


class Space(keras_tuner.HyperModel):
    """Trials of which those with more than so many units end in NaN, as if they diverged."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def build(self, hp):
        hp.Int("units", 1, 2)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp, model, *args, **kwargs):
        return {"score": 1.0 if hp.get("units") <= self.most else math.nan}


found = []
for most in (1, 0):
    objective = keras_tuner.Objective("score", "max")
    tuner = keras_tuner.GridSearch(Space(most), objective, directory=f"{most}")
    tuner.search(verbose=0)
    best = [trial.status for trial in tuner.oracle.get_best_trials(2)]
    values = [hp.values for hp in tuner.get_best_hyperparameters(2)]
    print(f"{most} of 2 trials completed: the best two are {best}, {values}")
    found.append(best)
if found != [["COMPLETED", "FAILED"], ["FAILED", "FAILED"]]:
    sys.exit("changed: failed trials are not among the best")
PY
