"""Train a small CNN on handwritten digits, and put it into TFLite in every way there is.

Run: python examples/export.py
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from sklearn.datasets import load_digits

from kerasopt.export import export_all, sensitivity, snippet, to_tflite

keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x, layers = x.reshape(-1, 8, 8, 1).astype("float32") / 16.0, keras.layers
train, held = (x[:1300], y[:1300]), (x[1300:], y[1300:])
model = keras.Sequential(
    [
        keras.Input((8, 8, 1), name="image"),
        layers.Conv2D(32, 3, activation="relu", name="edges"),
        layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
        layers.Flatten(),
        layers.Dense(64, activation="relu", name="hidden"),
        layers.Dense(10, activation="softmax", name="digit"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*train, epochs=10, verbose=0)

# All modes of one SavedModel, on the same samples.
print(export_all(model, calibration=train[0], validation_data=(held[0], held[1])), end="\n\n")

# Which layers does int8 hurt? And a file in which no accuracy is lost.
print(sensitivity(model, calibration=train[0], validation_data=held[0]), end="\n\n")
folder = Path(tempfile.mkdtemp())
exact = to_tflite(
    model,
    folder / "digits.tflite",
    "int8",
    calibration=train[0],
    validation_data=(held[0], held[1]),
    metadata={"version": "1.0", "labels": [str(digit) for digit in range(10)]},
    exclude="auto",
    max_accuracy_drop=0.0,
)
print(exact.report, end="\n\n")

# What an Android app needs to run it.
print(snippet(exact, "android")[:1500])
