#!/usr/bin/env bash
# tensorflow-model-optimization 0.8.1: with `sparsity_m_by_n` the schedule's sparsity is ignored: the
# layer has a mask of 50 % zeros from the first step on, while its weights are still random.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0, tf-keras 2.21.0.
. "$(dirname "$0")/_venv.bash" \
  tensorflow-model-optimization==0.8.1 tf-keras==2.21.0 tensorflow==2.21.0
TF_USE_LEGACY_KERAS=1 python - <<'PY'
import sys
from importlib.metadata import version

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

print("tensorflow-model-optimization", version("tensorflow-model-optimization"), tf.__version__)
pruning = tfmot.sparsity.keras


class Watch(keras.callbacks.Callback):
    def __init__(self, layer):
        super().__init__()
        self.layer, self.masks = layer, []

    def on_train_batch_end(self, batch, logs=None):
        self.masks += [one.numpy() for one in self.layer.weights if "mask" in one.name]


def run(**options):
    """Train 12 steps under a schedule from 0 to 25 %; give the zeros of the mask after each."""
    tf.random.set_seed(0)
    schedule = pruning.PolynomialDecay(0.0, 0.25, 0, 12, frequency=1)
    layer = pruning.prune_low_magnitude(
        keras.layers.Dense(16, input_shape=(16,)), pruning_schedule=schedule, **options
    )
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    rng = np.random.default_rng(0)
    watch = Watch(layer)
    model.fit(rng.random((96, 16)), rng.random((96, 1)), batch_size=8, epochs=1, verbose=0,
              callbacks=[pruning.UpdatePruningStep(), watch])
    return [float(np.mean(mask == 0)) for mask in watch.masks]


weights, two_of_four = run(), run(sparsity_m_by_n=(2, 4))
for name, zeros in {"weights": weights, "2 of 4": two_of_four}.items():
    print(f"{name}: zeros of the mask by step", " ".join(f"{share:.0%}" for share in zeros))
if not (0 < weights[-1] <= 0.25 and set(two_of_four) == {0.5}):
    sys.exit("changed")
PY
