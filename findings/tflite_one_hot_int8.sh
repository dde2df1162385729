#!/usr/bin/env bash
# TensorFlow 2.21.0: the zeros of one-hot columns in int8 are not zero. The converter gives the off
# value of ONE_HOT a scale and a zero point of its own; the kernel copies its code into the output,
# where it means another number. No error, no warning; the same in both sets of kernels.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1, ai-edge-litert 2.3.0.
. "$(dirname "$0")/_venv.bash" tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
python - <<'PY'
import sys

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

print("tensorflow", tf.__version__, "keras", keras.__version__)
columns = keras.layers.Discretization([0.25, 0.5, 0.75], output_mode="one_hot")
model = keras.Sequential([keras.Input((1,)), columns])
model.export("saved", verbose=False)
samples = np.random.default_rng(0).random((64, 1, 1), dtype="float32")
converter = tf.lite.TFLiteConverter.from_saved_model("saved")
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([one] for one in samples)
file = bytes(converter.convert())
expected = model.predict(samples[:, 0], verbose=0)
zeros = []
for kernels in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for one in samples:
        interpreter.set_tensor(given["index"], one)
        interpreter.invoke()
        found.append(interpreter.get_tensor(out["index"])[0])
    found = np.array(found)
    for value in (1.0, 0.0):
        print(f"{kernels.name}: {value} comes out as", np.unique(found[expected == value]))
    zeros.append(np.abs(found[expected == 0.0]).max())
for one in interpreter._get_ops_details():
    if one["op_name"] == "ONE_HOT":
        tensors = {each["index"]: each for each in interpreter.get_tensor_details()}
        for name, index in (("off value", one["inputs"][3]), ("output", one["outputs"][0])):
            scale, zero_point = tensors[index]["quantization"]
            print(f"{name}: scale {scale:.2g}, zero point {zero_point}")
if max(zeros) < 0.01:
    sys.exit("changed: 0 comes out as 0")
PY
