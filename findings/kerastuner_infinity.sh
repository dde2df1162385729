#!/usr/bin/env bash
# KerasTuner 1.4.8: with direction "max" a trial whose objective is +inf is the best one.
# NaN fails a trial; infinity, as of a division by a loss that has become zero, wins the search.
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
    def build(self, hp):
        hp.Int("units", 1, 4)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp, model, *args, **kwargs):
        return {"score": math.inf if hp.get("units") == 2 else float(hp.get("units"))}


objective = keras_tuner.Objective("score", "max")
tuner = keras_tuner.GridSearch(Space(), objective, directory=".", project_name="grid")
tuner.search(verbose=0)
best = tuner.oracle.get_best_trials()[0]
print("best:", best.hyperparameters.values, "score", best.score, best.status)
if best.score != math.inf or best.status != "COMPLETED":
    sys.exit("changed: infinity does not win")
PY
