#!/usr/bin/env bash
# KerasHub 0.32.0: the config of a ViT's first layer holds keys that its constructor refuses, so a
# model from the inputs to a head on a ViTBackbone is saved without a word and cannot be loaded.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, Keras 3.15.1.
. "$(dirname "$0")/_venv.bash" keras-hub==0.32.0 keras==3.15.1 tensorflow==2.21.0
python - <<'PY'
import sys

import keras
import keras_hub

print("keras-hub", keras_hub.__version__, "keras", keras.__version__)
backbone = keras_hub.models.ViTBackbone(
    image_shape=(32, 32, 3), patch_size=(8, 8), num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=32
)
head = keras.layers.Dense(2)
nested = keras.Sequential([keras.Input((32, 32, 3)), backbone, head])
flat = keras.Model(backbone.inputs, head(backbone.output))
found = {}
for name, model in (("nested", nested), ("flat", flat)):
    model.save(f"{name}.keras")
    try:
        keras.models.load_model(f"{name}.keras")
    except TypeError as error:
        found[name] = "TypeError: " + str(error).splitlines()[-1]
    else:
        found[name] = "loads"
    print(f"{name}: {found[name]}")
if found["nested"] != "loads" or "num_positions" not in found["flat"]:
    sys.exit("changed")
PY
