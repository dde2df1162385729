#!/usr/bin/env bash
# TensorFlow 2.21.0: a TFLiteConverter whose representative dataset gives no sample quantizes nothing
# but large weights, also where only int8 operations are asked for, and says nothing.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1, ai-edge-litert 2.3.0.
. "$(dirname "$0")/_venv.bash" tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
python - <<'PY'
import sys

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

print("tensorflow", tf.__version__, "keras", keras.__version__)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(4),
    ]
)
model.export("saved", verbose=False)
images = np.random.default_rng(0).random((32, 1, 8, 8, 3), dtype="float32")


def activations(samples):
    """Give the types of what the operations of the file compute."""
    converter = tf.lite.TFLiteConverter.from_saved_model("saved")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    interpreter = Interpreter(model_content=bytes(converter.convert()))
    interpreter.allocate_tensors()
    tensors = {one["index"]: one["dtype"] for one in interpreter.get_tensor_details()}
    kernels = [one for one in interpreter._get_ops_details() if one["op_name"] == "CONV_2D"]
    return {np.dtype(tensors[index]).name for one in kernels for index in one["outputs"]}


found = {len(samples): activations(samples) for samples in ([[one] for one in images], [])}
for number, types in found.items():
    print(f"{number} samples: the convolution gives {', '.join(types)}")
if found != {32: {"int8"}, 0: {"float32"}}:
    sys.exit("changed")
PY
