#!/usr/bin/env bash
# Keras 3.15.1, TensorFlow backend: a channels_first convolution with as many filters as its output
# has columns adds its bias to the columns, without an error or a warning.
# Seen 2026-11-30 on Linux x86-64, on the CPU, with Python 3.11, TensorFlow 2.21.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check \
  keras==3.15.1 tensorflow==2.21.0
cd "$work"
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - <<'PY'
import sys

import keras
import numpy as np
import tensorflow as tf

print("keras", keras.__version__, "tensorflow", tf.__version__)
FILTERS = 4
bias = np.arange(FILTERS, dtype="float32")
right = {}
for columns in (3, FILTERS):
    layer = keras.layers.Conv2D(FILTERS, 1, data_format="channels_first")
    images = np.zeros((1, 2, 5, columns), "float32")
    layer.build(images.shape)
    layer.bias.assign(bias)
    found = np.array(layer(images))[0]
    expected = np.broadcast_to(bias[:, None, None], found.shape)
    right[columns] = np.array_equal(found, expected)
    print(f"{FILTERS} filters, {columns} columns, kernel x image = 0, bias {bias.tolist()}:")
    print("  first row of each filter:", found[:, 0].tolist())
if right != {3: True, FILTERS: False}:
    sys.exit(f"changed: right by columns {right}")
print(f"with {FILTERS} columns the bias is added along the columns")
PY
