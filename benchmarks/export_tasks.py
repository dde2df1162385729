"""The tasks of `export_accuracy.py`: a CNN, convolutions over time and an LSTM, on real data."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
from keras import layers
from regularization_tasks import SPOKEN, cnn, conv1d, held_out
from stopping_data import FASHION, Array, Task, digit_rows, digits, fashion_mnist, spoken_digits

VOWELS = "data/japanese_vowels.npz"
POINTS = {"float16": 0.1, "int8": 0.5}
"""Percentage points of test accuracy that a file may be off its Keras model."""
LSTM_POINTS = {**POINTS, "int8": 1.0}


@lru_cache(1)
def vowels(path: Path) -> tuple[Array, Array, int]:
    """Read the Japanese vowels: 25 steps of 12 coefficients, nine speakers, a test set of its own.

    Speakers are `"1"` to `"9"` in the file.
    """
    with np.load(path) as stored:
        x = np.concatenate([stored["x_train"], stored["x_test"]]).astype("float32")
        y = np.concatenate([stored["y_train"], stored["y_test"]]).astype("float32") - 1
        return x, y, len(stored["y_test"])


def lstm(shape: tuple[int, ...]) -> keras.Model:
    """Give an LSTM of 64 units, unrolled as int8 wants it, and 10 classes."""
    return keras.Sequential(
        [keras.Input(shape), layers.LSTM(64, unroll=True), layers.Dropout(0.2), layers.Dense(10)]
    )


SHARED = [
    Task("Fashion-MNIST, CNN", FASHION, fashion_mnist, cnn, (60_000, 0, 10_000), 5, batch=64),
    Task(
        "spoken digits, Conv1D",
        SPOKEN,
        held_out(spoken_digits, 1_500),
        conv1d,
        (1_500, 0, 1_500),
        epochs=30,
    ),
    Task("Japanese vowels, LSTM", VOWELS, vowels, lstm, (270, 0, 370), 80, learning_rate=3e-3),
]
BUNDLED = [
    Task("digits, CNN", "", held_out(digits, 897), cnn, (900, 0, 897), epochs=20),
    Task("digit rows, Conv1D", "", held_out(digit_rows, 897), conv1d, (900, 0, 897), epochs=30),
    Task("digit rows, LSTM", "", held_out(digit_rows, 897), lstm, (900, 0, 897), epochs=40),
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
    return [replace(task, sizes=(200, 0, 200), epochs=6) for task in found]


def goals(task: Task) -> dict[str, float]:
    """Give by mode the points that its files may be off."""
    return LSTM_POINTS if task.build is lstm else POINTS
