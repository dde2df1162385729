#!/usr/bin/env bash
# LiteRT 2.3.0: the XNNPACK kernels, which run by default, and the reference kernels, which
# microcontrollers have, give other int8 codes for the same file: tens of 255 on a deep network.
# Seen 2026-11-30 on Linux x86-64 (AVX512-VNNI) with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1.
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
model = keras.applications.MobileNetV2(
    (96, 96, 3), alpha=0.35, weights=None, classes=10, classifier_activation=None
)
images = np.random.default_rng(0).random((48, 1, 96, 96, 3), dtype="float32")
for layer in model.layers:  # statistics as of a trained network, or nothing reaches the outputs
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0.0
model(images[:32, 0], training=True)
model.export("saved", verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model("saved")
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([one] for one in images[:32])
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
file = bytes(converter.convert())


def codes(kernels):
    interpreter = Interpreter(model_content=file, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = given["quantization"]
    found = []
    for image in images[32:]:
        code = np.clip(np.round(image / scale + zero), -128, 127).astype("int8")
        interpreter.set_tensor(given["index"], code)
        interpreter.invoke()
        found.append(interpreter.get_tensor(out["index"])[0].astype(int))
    return np.array(found)


fast, reference = codes(OpResolverType.AUTO), codes(OpResolverType.BUILTIN_REF)
off = np.abs(fast - reference)
print(f"16 images x 10 outputs, codes from {fast.min()} to {fast.max()}: "
      f"{np.mean(off == 0):.0%} equal, the largest difference {off.max()}")
if off.max() < 5:
    sys.exit("changed: the kernels agree")
PY
