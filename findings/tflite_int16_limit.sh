#!/usr/bin/env bash
# TensorFlow 2.21.0, int16x8: a constant of `minimum` far beyond the other input's range becomes the
# lowest code instead of the highest, and so does every output. In int8 it is right. Of this kind is
# UnitNormalization, which limits 1 / norm to 1e6: its outputs have the wrong sign. No warning.
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
samples = np.random.default_rng(0).normal(size=(64, 1, 16)).astype("float32")
ops = tf.lite.OpsSet
int16x8 = ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
dense = keras.layers.Dense(8)
inputs = keras.Input((16,))
limits = {f"minimum(x, {limit:g})": keras.ops.minimum(dense(inputs), limit) for limit in (10, 1e6)}
unit = keras.layers.UnitNormalization()(dense(inputs))


def decibels(outputs, supported):
    """Give the signal-to-noise ratio of the quantized file beside Keras."""
    model = keras.Model(inputs, outputs)
    model.export("saved", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model("saved")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one] for one in samples)
    converter.target_spec.supported_ops = supported
    interpreter = Interpreter(model_content=bytes(converter.convert()))
    interpreter.allocate_tensors()
    (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for one in samples:
        interpreter.set_tensor(given["index"], one)
        interpreter.invoke()
        found.append(interpreter.get_tensor(out["index"])[0])
    expected = model.predict(samples[:, 0], verbose=0)
    return 10 * np.log10(np.sum(expected**2) / np.sum((found - expected) ** 2))


found = []
for name, outputs in {**limits, "UnitNormalization": unit}.items():
    # Its SQUARE has no int16 kernel and stays in float.
    fallback = [ops.TFLITE_BUILTINS] if name == "UnitNormalization" else []
    supported = [int16x8, *fallback], [ops.TFLITE_BUILTINS_INT8]
    ratios = [decibels(outputs, each) for each in supported]
    print(f"{name}: {ratios[0]:.0f} dB in int16x8, {ratios[1]:.0f} dB in int8")
    found.append([ratio > 20 for ratio in ratios])
if found != [[True, True], [False, True], [False, True]]:
    sys.exit("changed")
PY
