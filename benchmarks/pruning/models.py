"""The models, from the layers of Keras 3 or of tf_keras: each process has its own.

This file, `training.py` and `tfmot.py` are imported beside tf_keras: they import
neither Keras nor kerasopt at the top.
"""

import time
from collections.abc import Callable
from typing import Any

BATCH = 128


def mlp(k: Any) -> Any:
    """Give the MLP of 512-1024-512 units and 10 classes of `benchmarks.callbacks`.

    Args:
        k: The module `keras` or `tf_keras`.
    """
    return k.Sequential(
        [
            k.Input((512,)),
            k.layers.Dense(512, activation="relu"),
            k.layers.Dense(1024, activation="relu"),
            k.layers.Dense(512, activation="relu"),
            k.layers.Dense(10),
        ]
    )


def cnn(k: Any) -> Any:
    """Give the small CNN of `benchmarks.callbacks`, for 28 x 28 images."""
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            k.layers.Conv2D(32, 3, activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Conv2D(64, 3, activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Flatten(),
            k.layers.Dense(10),
        ]
    )


def classifier(k: Any, shape: tuple[int, ...]) -> Any:
    """Give the CNN whose accuracy is compared: that of regularization, of 10 classes."""
    return k.Sequential(
        [
            k.Input(tuple(shape)),
            k.layers.Conv2D(16, 3, padding="same", activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Conv2D(32, 3, padding="same", activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Flatten(),
            k.layers.Dense(128, activation="relu"),
            k.layers.Dense(10),
        ]
    )


MODELS: dict[str, Callable[[Any], Any]] = {"MLP 512-1024-512": mlp, "small CNN": cnn}


def compiled(k: Any, model: Any, learning_rate: float = 1e-3) -> Any:
    """Give the model, ready for `fit`."""
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.Adam(learning_rate), loss)
    return model


def noise(shape: tuple[int, ...], steps: int) -> Any:
    """Give batches of random samples for as many steps."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * 20, *shape)).astype("float32")
    y = rng.integers(0, 10, len(x))
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).cache().repeat().take(steps)


def step_times(k: Any) -> Any:
    """Give a callback that times one `fit`, from the second step to the last.

    It goes first, so what the others do before a batch is in it. The first step traces and
    compiles.
    """

    class StepTimes(k.callbacks.Callback):
        async_safe = True
        seconds = begun = 0.0

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.perf_counter() - self.begun

    return StepTimes()


def step_ms(k: Any, model: Any, data: Any, steps: int, callbacks: list[Any]) -> float:
    """Give the mean time of a step of one `fit`, in milliseconds."""
    times = step_times(k)
    model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[times, *callbacks])
    return float(times.seconds / (steps - 1) * 1e3)
