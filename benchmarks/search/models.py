"""What the searches of `benchmarks.search` tune. Importable, because workers import it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np

RSS = "rss.txt"
RUN = "run.txt"


def resident() -> int:
    """Give the resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def note(path: Path, line: str) -> None:
    """Add a line to a file that processes share."""
    with open(path, "a") as file:
        file.write(line + "\n")


class Trivial(keras_tuner.HyperModel):
    """A model of one layer; trained not at all, or on one batch.

    Args:
        trains: Whether it is trained on one batch of 32 samples.

    Attributes:
        at: When each trial came to its `fit`.
    """

    def __init__(self, trains: bool = False):
        super().__init__()
        self.trains = trains
        self.at: list[float] = []

    def build(self, hp: Any) -> Any:
        """Give a model of one layer."""
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 64))])
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        model.compile("sgd", "mse")
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Give a loss at once, or train one batch."""
        self.at.append(time.perf_counter())
        if not self.trains:
            return {"val_loss": hp.get("rate")}
        x, y = np.ones((32, 4), "float32"), np.ones((32, 1), "float32")
        return model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=kwargs.get("callbacks"))


class Small(keras_tuner.HyperModel):
    """A small network that is trained for two epochs; the memory after each trial is noted."""

    def __init__(self, folder: str):
        super().__init__()
        self.folder = folder

    def build(self, hp: Any) -> Any:
        """Give a network of two hidden layers."""
        model = keras.Sequential(
            [
                keras.Input((32,)),
                keras.layers.Dense(hp.Int("units", 16, 64), activation="relu"),
                keras.layers.Dense(32, activation="relu"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train, and note the memory."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(256, 32)).astype("float32"), rng.integers(0, 10, 256)
        history = model.fit(
            x, y, epochs=2, validation_split=0.25, verbose=0, callbacks=kwargs.get("callbacks")
        )
        note(Path(self.folder) / RSS, str(resident()))
        return history


class Steady(keras_tuner.HyperModel):
    """A small CNN whose training takes the same time whatever its learning rate is.

    Args:
        epochs: Of its training.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def build(self, hp: Any) -> Any:
        """Give a network of two convolutions and two Dense layers, as in the real task."""
        layers = keras.layers
        model = keras.Sequential([keras.Input((14, 14, 1))])
        for _ in range(2):
            model.add(layers.Conv2D(16, 3, padding="same", activation="relu"))
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
        model.add(layers.Dense(64, activation="relu"))
        model.add(layers.Dense(10, activation="softmax"))
        rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train on 2000 images of noise."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(2000, 14, 14, 1)).astype("float32"), rng.integers(0, 10, 2000)
        return model.fit(
            x,
            y,
            batch_size=32,
            epochs=self.epochs,
            validation_split=0.1,
            verbose=0,
            callbacks=kwargs.get("callbacks"),
        )


class Combinations(keras_tuner.HyperModel):
    """Two choices of three and two values; notes which ones were begun and ended.

    Args:
        folder: Where it notes them.
        kill_at: Number of the `fit` of this process that kills it, from 1; 0 for none.
    """

    def __init__(self, folder: str, kill_at: int = 0):
        super().__init__()
        self.folder = folder
        self.kill_at = kill_at
        self.fits = 0

    def build(self, hp: Any) -> Any:
        """Give a model of one layer."""
        hp.Choice("units", [1, 2, 3])
        hp.Choice("rate", [0.1, 0.2])
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.get("units"))])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Note the combination, and be killed if it is the one."""
        self.fits += 1
        which = f"{hp.get('units')} {hp.get('rate')}"
        note(Path(self.folder) / RUN, f"begun {which}")
        if self.fits == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        note(Path(self.folder) / RUN, f"ended {which}")
        return {"val_loss": hp.get("rate")}
