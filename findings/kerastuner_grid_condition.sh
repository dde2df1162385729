#!/usr/bin/env bash
# KerasTuner 1.4.8: a GridSearch ends with a KeyError if a hyperparameter appears for one value, in
# the middle, of another one. RandomSearch goes through; so does the grid with `conditional_scope`.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" \
  keras-tuner==1.4.8 keras==3.15.1 tensorflow==2.21.0 tensorboard scikit-learn scipy
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import keras_tuner

print("keras-tuner", version("keras-tuner"), "keras", keras.__version__)


class Plain(keras_tuner.HyperModel):
    """Four combinations, of which none needs training."""

    def build(self, hp):
        if hp.Choice("optimizer", ["adam", "sgd", "rmsprop"]) == "sgd":
            self.momentum(hp)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def momentum(self, hp):
        hp.Choice("momentum", [0.0, 0.9])

    def fit(self, hp, model, *args, **kwargs):
        return {"score": 1.0}


class Scoped(Plain):
    def momentum(self, hp):
        with hp.conditional_scope("optimizer", ["sgd"]):
            super().momentum(hp)


found = {}
for kind, hypermodel in ((keras_tuner.RandomSearch, Plain()), (keras_tuner.GridSearch, Scoped()),
                         (keras_tuner.GridSearch, Plain())):
    name = f"{kind.__name__} {type(hypermodel).__name__}"
    objective = keras_tuner.Objective("score", "max")
    tuner = kind(hypermodel, objective, max_trials=4, directory=".", project_name=name)
    try:
        tuner.search(verbose=0)
    except KeyError as error:
        found[name] = f"KeyError {error}"
    else:
        found[name] = "ends"
    print(f"{name}: {found[name]}, {len(tuner.oracle.trials)} trials")
if list(found.values()) != ["ends", "ends", "KeyError 'momentum'"]:
    sys.exit("changed")
PY
