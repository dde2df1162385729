#!/usr/bin/env bash
# TFLite Micro: int8 weights that are dequantized as the model runs ("weight only") are all scaled
# by the first channel's scale: no error, wrong numbers. LiteRT takes each channel's own.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11.
. "$(dirname "$0")/_venv.bash" \
  tflite-micro==0.dev20261023182759 litert-quantizer==0.11.0 ai-edge-litert==2.3.0 \
  tensorflow==2.21.0 keras==3.15.1
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import qtyping, quantizer
from tflite_micro import runtime

print("tflite-micro", version("tflite-micro"), "ai-edge-litert", version("ai-edge-litert"))
keras.utils.set_random_seed(0)
# A fixed batch: of a free one TFLite Micro runs fewer operations.
model = keras.Sequential([keras.Input(batch_shape=(1, 8, 8, 3)), keras.layers.Conv2D(4, 3)])
kernel, bias = model.layers[0].get_weights()
model.layers[0].set_weights([kernel * [1.0, 2.0, 4.0, 8.0], bias])
model.export("saved", verbose=False)
made = quantizer.Quantizer(bytes(tf.lite.TFLiteConverter.from_saved_model("saved").convert()))
made.add_weight_only_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8)
file = bytes(made.quantize(enable_progress_report=False).quantized_model)

image = np.random.default_rng(0).random((1, 8, 8, 3), dtype="float32")
right = np.array(model(image))
lite = Interpreter(model_content=file)
lite.allocate_tensors()
lite.set_tensor(lite.get_input_details()[0]["index"], image)
lite.invoke()
micro = runtime.Interpreter.from_bytes(file)
micro.set_input(image, 0)
micro.invoke()
outputs = {
    "LiteRT": lite.get_tensor(lite.get_output_details()[0]["index"]),
    "TFLite Micro": np.array(micro.get_output(0)),
}
sizes = {}
for name, found in outputs.items():
    sizes[name] = np.abs(found).mean((0, 1, 2)) / np.abs(right).mean((0, 1, 2))
    print(f"{name}: size of each channel beside Keras {sizes[name].astype(float).round(2).tolist()}")
if np.abs(sizes["LiteRT"] - 1).max() > 0.1 or np.abs(sizes["TFLite Micro"] - 1).max() < 0.5:
    sys.exit("changed")
PY
