"""The tasks of `benchmarks.early_stopping`: data, models, and how long the full run is.

With the folder `shared` beside the repository: Fashion-MNIST, a table and series; without it,
scikit-learn's digits and its diabetes table. Every seed draws parts of its own.
"""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Part(NamedTuple):
    """Samples and what to predict of them."""

    x: Array
    y: Array


class Parts(NamedTuple):
    """What to train on, what to watch, what to judge by."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Task:
    """A model, its data and its full run.

    Attributes:
        name: For people.
        file: What its data is in, in the folder of the data; empty if scikit-learn has it.
        load: Reads all samples (x, y), and how many at the end are a test set of their own.
        build: Makes the model from the shape of a sample.
        sizes: Samples for training, validation and test.
        epochs: Length of the full run.
        batch: Batch size.
        classes: Whether classes are predicted, else a number.
        learning_rate: Of Adam.
    """

    name: str
    file: str
    load: Callable[[Path], tuple[Array, Array, int]]
    build: Callable[[tuple[int, ...]], keras.Model]
    sizes: tuple[int, int, int]
    epochs: int
    batch: int = 32
    classes: bool = True
    learning_rate: float = 1e-3

    @property
    def measure(self) -> str:
        """What the test error is."""
        return "share of wrong classes" if self.classes else "RMSE"

    def parts(self, data: Path, seed: int) -> Parts:
        """Draw the parts of a seed and scale them by what the training part tells.

        A set of its own is kept for the test where the data has one.
        """
        x, y, own = self.load(data / self.file)
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(x) - own)
        if own:
            order = np.concatenate([order, len(x) - own + rng.permutation(own)])
        train, validation, test = self.sizes
        picked = (order[:train], order[train : train + validation], order[len(x) - test :])
        raw = [Part(x[rows], y[rows]) for rows in picked]
        scaled = raw if x.ndim == 4 else _scaled(raw)  # pixels have a scale already
        return Parts(*(scaled if self.classes else _scaled_targets(scaled)))

    def compiled(self, parts: Parts) -> keras.Model:
        """Give the model, ready for `fit`."""
        model = self.build(parts.train.x.shape[1:])
        model.compile(
            keras.optimizers.Adam(self.learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True) if self.classes else "mse",
            metrics=["accuracy" if self.classes else keras.metrics.RootMeanSquaredError("rmse")],
        )
        return model

    def error(self, logs: dict[str, float], prefix: str = "") -> float:
        """Give the error among the metrics of Keras: of classes 1 - accuracy, of numbers RMSE."""
        return 1.0 - logs[f"{prefix}accuracy"] if self.classes else logs[f"{prefix}rmse"]


def _scaled(parts: list[Part]) -> list[Part]:
    """Standardise each feature but those of 0 and 1, where one is missing put the median."""
    x = parts[0].x.reshape(-1, parts[0].x.shape[-1])
    flags = np.isin(x, (0, 1)).all(0)
    middle = np.nanmedian(x, 0)
    mean, std = np.where(flags, 0, np.nanmean(x, 0)), np.where(flags, 1, np.nanstd(x, 0))
    return [Part((np.where(np.isnan(p.x), middle, p.x) - mean) / std, p.y) for p in parts]


def _scaled_targets(parts: list[Part]) -> list[Part]:
    mean, std = parts[0].y.mean(), parts[0].y.std()
    return [Part(part.x, (part.y - mean) / std) for part in parts]


# Data.


def _idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file: two bytes of type and rank after two zeros, the sizes, the values."""
    raw = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)


@lru_cache(1)
def fashion_mnist(folder: Path) -> tuple[Array, Array, int]:
    """Read Fashion-MNIST: pixels from 0 to 1, classes."""
    files = {part: f"{part}-{{}}-ubyte.gz" for part in ("train", "t10k")}
    x = np.concatenate([_idx(folder / name.format("images-idx3")) for name in files.values()])
    y = np.concatenate([_idx(folder / name.format("labels-idx1")) for name in files.values()])
    return x[..., None].astype("float32") / 255, y.astype("float32"), 10_000


@lru_cache(1)
def housing(path: Path) -> tuple[Array, Array, int]:
    """Read the districts of California: numbers, one column a kind of place, log of the price."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    places = sorted({row["ocean_proximity"] for row in rows})
    names = [name for name in rows[0] if name not in ("ocean_proximity", "median_house_value")]
    numbers = [[float(row[name] or "nan") for name in names] for row in rows]
    kinds = [[row["ocean_proximity"] == place for place in places] for row in rows]
    price = [float(row["median_house_value"]) for row in rows]
    return np.hstack([numbers, kinds]).astype("float32"), np.log(price).astype("float32"), 0


FRAMES, WINDOW, HOP, BANDS = 48, 256, 128, 32


@lru_cache(1)
def spoken_digits(path: Path) -> tuple[Array, Array, int]:
    """Read the spoken digits as 48 frames of 32 log powers, of 32 ms each, 16 ms apart."""
    stored = np.load(path)
    wav, offsets = stored["wav"].astype("float32") / 2**15, stored["offsets"]
    needed = HOP * (FRAMES - 1) + WINDOW
    x = np.empty((len(offsets) - 1, FRAMES, BANDS), "float32")
    for i, (begin, end) in enumerate(pairwise(offsets)):
        clip = np.zeros(needed, "float32")
        clip[: min(end - begin, needed)] = wav[begin:end][:needed]
        frames = np.lib.stride_tricks.sliding_window_view(clip, WINDOW)[::HOP]
        power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW))) ** 2
        x[i] = np.log(power[:, 1:].reshape(FRAMES, BANDS, -1).mean(-1) + 1e-6)
    return x, stored["y"].astype("float32"), 0


@lru_cache(1)
def digits(_: Path) -> tuple[Array, Array, int]:
    """Give scikit-learn's digits: 8 x 8 pixels from 0 to 1, classes."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.images[..., None].astype("float32") / 16, data.target.astype("float32"), 0


def digit_rows(path: Path) -> tuple[Array, Array, int]:
    """Give the same digits as series of eight rows."""
    x, y, own = digits(path)
    return x[..., 0], y, own


def diabetes(_: Path) -> tuple[Array, Array, int]:
    """Give scikit-learn's table of 442 patients."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes()
    return data.data.astype("float32"), data.target.astype("float32"), 0


# Models.


def mlp(shape: tuple[int, ...]) -> keras.Model:
    """Give an MLP of 256-128 units and 10 classes."""
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def cnn(shape: tuple[int, ...]) -> keras.Model:
    """Give a small CNN with dropout for images, of 10 classes."""
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def regressor(shape: tuple[int, ...]) -> keras.Model:
    """Give an MLP of 128-64 units for a table and one number."""
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


def recurrent(shape: tuple[int, ...]) -> keras.Model:
    """Give a convolution, a GRU and dropout for series, of 10 classes."""
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv1D(32, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.GRU(64),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10),
        ]
    )


FASHION = "keras_home/datasets/fashion-mnist"
SHARED = [
    Task("Fashion-MNIST, MLP", FASHION, fashion_mnist, mlp, (10_000, 5_000, 10_000), 60),
    Task("Fashion-MNIST, CNN", FASHION, fashion_mnist, cnn, (10_000, 5_000, 10_000), 30),
    Task(
        "housing (table), MLP",
        "data/housing.csv",
        housing,
        regressor,
        (5_000, 2_500, 5_000),
        epochs=100,
        classes=False,
    ),
    Task(
        "spoken digits (series), Conv1D + GRU",
        "data/spoken_digits.npz",
        spoken_digits,
        recurrent,
        (600, 600, 1_800),
        epochs=80,
    ),
]
BUNDLED = [
    Task("digits, MLP", "", digits, mlp, (600, 300, 897), epochs=60),
    Task("digits, CNN", "", digits, cnn, (600, 300, 897), epochs=60),
    Task("diabetes (table), MLP", "", diabetes, regressor, (200, 100, 142), 100, classes=False),
    Task(
        "digit rows (series), Conv1D + GRU", "", digit_rows, recurrent, (600, 300, 897), epochs=60
    ),
]


def tasks(data: Path, quick: bool = False) -> list[Task]:
    """Give the tasks: of each kind the first one whose data is there.

    Args:
        data: Folder with the files, as `../shared`.
        quick: Whether only to see that it works: few samples, short runs.
    """
    found = [
        one if (data / one.file).exists() else other
        for one, other in zip(SHARED, BUNDLED, strict=True)
    ]
    if not quick:
        return found
    return [replace(task, sizes=(100, 60, 80), epochs=12) for task in found]
