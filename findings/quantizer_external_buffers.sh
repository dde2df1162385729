#!/usr/bin/env bash
# litert-quantizer 0.11.0 (formerly ai-edge-quantizer): weights of 256 KiB and more are written
# behind the flatbuffer, where readers of the schema without `Buffer.offset` do not find them.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0, ai-edge-litert 2.3.0.
. "$(dirname "$0")/_venv.bash" \
  litert-quantizer==0.11.0 ai-edge-litert==2.3.0 tensorflow==2.21.0 keras==3.15.1
python - <<'PY'
import sys
from importlib.metadata import version

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import qtyping, quantizer

print("litert-quantizer", version("litert-quantizer"), "tensorflow", tf.__version__)
outside = {}
for units in (500, 600):
    model = keras.Sequential([keras.Input((512,)), keras.layers.Dense(units)])
    model.export("saved", verbose=False)
    made = quantizer.Quantizer(bytes(tf.lite.TFLiteConverter.from_saved_model("saved").convert()))
    made.add_weight_only_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8)
    file = bytes(made.quantize(enable_progress_report=False).quantized_model)
    buffers = schema.Model.GetRootAs(file, 0)
    places = [buffers.Buffers(number).Offset() for number in range(buffers.BuffersLength())]
    outside[units] = [one for one in places if one > 1]
    print(f"{512 * units:,} bytes of weights: {len(outside[units])} buffers outside, "
          f"at {outside[units]} of a file of {len(file):,} bytes")
if outside[500] or not outside[600]:
    sys.exit("changed")
PY
