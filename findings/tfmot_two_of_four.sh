#!/usr/bin/env bash
# tensorflow-model-optimization 0.8.1: with `sparsity_m_by_n` the schedule's sparsity is ignored: the
# layer is pruned 2 of 4 at once, and its mask is computed once, while the weights are still random.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0, tf-keras 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check \
  tensorflow-model-optimization==0.8.1 tf-keras==2.21.0 tensorflow==2.21.0
cd "$work"
TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - <<'PY'
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
        self.layer, self.zeros, self.masks = layer, [], []

    def on_train_batch_end(self, batch, logs=None):
        self.zeros.append(float(np.mean(self.layer.layer.kernel.numpy() == 0)))
        self.masks += [one.numpy() for one in self.layer.weights if "mask" in one.name]


def run(**options):
    """Train 12 steps under a schedule from 0 to 25 %, and tell zeros and changes of the mask."""
    tf.random.set_seed(0)
    schedule = pruning.PolynomialDecay(0.0, 0.25, 0, 12, frequency=1)
    layer = pruning.prune_low_magnitude(
        keras.layers.Dense(16, input_shape=(16,)), pruning_schedule=schedule, **options
    )
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    rng = np.random.default_rng(0)
    watch = Watch(layer)
    model.fit(rng.random((96, 16)), rng.random((96, 1)), batch_size=8, epochs=1, verbose=0,
              callbacks=[pruning.UpdatePruningStep(), watch])
    changes = sum(not np.array_equal(a, b) for a, b in zip(watch.masks, watch.masks[1:]))
    return watch.zeros, changes


found = {"weights": run(), "2 of 4": run(sparsity_m_by_n=(2, 4))}
for name, (zeros, changes) in found.items():
    print(f"{name}: zeros {zeros[0]:.0%} after the first step, {zeros[-1]:.0%} at the end, "
          f"mask changed {changes} times in 11 steps")
zeros, changes = found["2 of 4"]
if min(zeros) < 0.5 or changes or found["weights"][1] == 0:
    sys.exit("changed")
PY
