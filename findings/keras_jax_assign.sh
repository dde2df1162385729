#!/usr/bin/env bash
# Keras 3.15.1, JAX backend: `variable.assign(other)` makes the two variables share one array. The
# next training step of one model gives the array away, and the other model is lost: RuntimeError.
# `set_weights(get_weights())` copies.
# Seen 2026-11-30 on Linux x86-64, on the CPU, with Python 3.11, JAX 0.10.2.
. "$(dirname "$0")/_venv.bash" keras==3.15.1 jax==0.10.2 jaxlib==0.10.2
KERAS_BACKEND=jax python - <<'PY'
import sys

import jax
import keras
import numpy as np

print("keras", keras.__version__, "jax", jax.__version__)
x, y = np.ones((8, 2), "float32"), np.zeros((8, 1), "float32")


def assign(copy, model):
    for variable, other in zip(copy.weights, model.weights):
        variable.assign(other)


def set_weights(copy, model):
    copy.set_weights(model.get_weights())


found = {}
for way in (set_weights, assign):
    model, copy = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]) for _ in "12")
    way(copy, model)
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    try:
        copy.predict(x, verbose=0)
    except RuntimeError as error:
        found[way.__name__] = f"RuntimeError: {error}"
    else:
        found[way.__name__] = "predicts"
    print(f"{way.__name__}, then the other model is trained: {found[way.__name__]}")
if found["set_weights"] != "predicts" or "deleted" not in found["assign"]:
    sys.exit("changed")
PY
