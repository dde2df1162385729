#!/usr/bin/env bash
# KerasTuner 1.4.8: the objective "f1_score" by its name alone is minimized, where Keras's own metric
# says that more is better: the model that learns nothing is the best one, and the score of a trial
# is that of its worst epoch. With "accuracy" it is right.
# Seen 2026-12-01 on Linux x86-64 with Python 3.11, Keras 3.15.1, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" \
  keras-tuner==1.4.8 keras==3.15.1 tensorflow==2.21.0 tensorboard scikit-learn scipy
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import keras_tuner
import numpy as np

print("keras-tuner", version("keras-tuner"), "keras", keras.__version__)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = np.eye(3, dtype="float32")[x[:, :3].argmax(1)]


class Two(keras_tuner.HyperModel):
    """One configuration learns, the other one cannot."""

    def build(self, hp):
        keras.utils.set_random_seed(0)
        rate = hp.Choice("rate", [0.05, 0.0])
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        metrics = [keras.metrics.F1Score("macro"), "accuracy"]
        model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=metrics)
        return model


found = {}
for name in ("accuracy", "f1_score"):
    tuner = keras_tuner.GridSearch(Two(), name, max_trials=2, directory=".", project_name=name)
    tuner.search(x, y, epochs=60, verbose=0)
    scores = {t.hyperparameters.get("rate"): t.score for t in tuner.oracle.trials.values()}
    best = tuner.get_best_hyperparameters()[0].get("rate")
    right = max(scores, key=scores.get)
    found[name] = (tuner.oracle.objective.direction, best == right)
    shown = {rate: round(float(score), 2) for rate, score in scores.items()}
    print(f"{name}: {tuner.oracle.objective.direction}, scores {shown}, best is rate {best}")
print("Keras says of F1Score:", keras.metrics.F1Score()._direction)
if found != {"accuracy": ("max", True), "f1_score": ("min", False)}:
    sys.exit("changed")
PY
