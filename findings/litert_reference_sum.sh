#!/usr/bin/env bash
# LiteRT 2.3.0: the reference kernel of an int8 SUM reads its input as unsigned and gives wrong
# numbers. The default kernel is right, and MEAN is right in both. No error, no warning.
# Reported: github.com/google-ai-edge/LiteRT/issues/4079
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1.
. "$(dirname "$0")/_venv.bash" tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

print("ai-edge-litert", version("ai-edge-litert"), "tensorflow", tf.__version__)
keras.utils.set_random_seed(0)
samples = np.random.default_rng(0).normal(size=(64, 1, 16)).astype("float32")
inputs = keras.Input((16,))
hidden = keras.layers.Dense(8)(inputs)
found = {}
for name in ("mean", "sum"):
    model = keras.Model(inputs, getattr(keras.ops, name)(hidden, axis=-1, keepdims=True))
    expected = model.predict(samples[:, 0], verbose=0)
    model.export("saved", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model("saved")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one] for one in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    file = bytes(converter.convert())
    for kernels in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
        interpreter = Interpreter(model_content=file, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
        (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
        outputs = []
        for one in samples:
            interpreter.set_tensor(given["index"], one)
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(out["index"])[0])
        ratio = 10 * np.log10(np.sum(expected**2) / np.sum((outputs - expected) ** 2))
        slope = float(np.sum(outputs * expected) / np.sum(expected**2))
        print(f"{name}, {kernels.name}: {ratio:.0f} dB, {slope:.2f} of Keras's numbers")
        found[name, kernels.name] = bool(ratio > 20)
if [name for name, right in found.items() if not right] != [("sum", "BUILTIN_REF")]:
    sys.exit("changed")
PY
