"""Accuracy against size: prune and quantize in each trial, and measure the TFLite file itself.

Run: python examples/tune_pareto.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from sklearn.datasets import load_digits

from kerasopt.tuning import CompressedHyperModel, Tuner


def build(hp):
    """Give a small CNN whose width is searched for."""
    width = hp.Int("width", 4, 32, step=2, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Conv2D(width, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(2 * width, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    rate = hp.Float("learning_rate", 1e-3, 1e-2, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


if __name__ == "__main__":
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32")
    train, held = (x[:1300], y[:1300]), (x[1300:], y[1300:])

    tuner = Tuner(
        CompressedHyperModel(build, quantization=["float32", "int8"]),
        objective=["tflite_accuracy", "tflite_bytes"],
        max_trials=int(os.environ.get("TRIALS", "16")),
        sampler="nsga2",
        constraints={"tflite_bytes": 50_000},
        keep_best=20,
        seed=0,
        project_name="tune-pareto",
    )
    tuner.search(*train, validation_data=held, epochs=8)
    print("\nnone is more accurate and smaller than these:")
    for one in tuner.pareto_front():
        size, right = one.metrics["tflite_bytes"], one.metrics["tflite_accuracy"]
        print(f"{size:8,.0f} bytes  {right:.4f}  {one.folder}/model.tflite  {one.values}")
    tuner.plot_pareto("tune-pareto/front.png", title="handwritten digits")
