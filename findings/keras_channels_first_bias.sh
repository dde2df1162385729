#!/usr/bin/env bash
# Keras 3.15.1, TensorFlow backend: a channels_first convolution with as many filters as its output
# has columns adds its bias to the columns when it is called eagerly, as with `run_eagerly=True`; in
# a compiled `predict` it is right. No error, no warning.
# Seen 2026-11-30 on Linux x86-64, on the CPU, with Python 3.11, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" keras==3.15.1 tensorflow==2.21.0
python - <<'PY'
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
    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    ways = {"eager": np.array(layer(images)), "predict": model.predict(images, verbose=0)}
    print(f"{FILTERS} filters, {columns} columns, image 0, bias {bias.tolist()}; first rows:")
    for way, (found,) in ways.items():
        expected = np.broadcast_to(bias[:, None, None], found.shape)
        right[columns, way] = np.array_equal(found, expected)
        print(f"  {way}: {found[:, 0].tolist()}")
wrong = [case for case, is_right in right.items() if not is_right]
if wrong != [(FILTERS, "eager")]:
    sys.exit(f"changed: wrong are {wrong}")
PY
