"""The tasks, small data and models that overfit, and what is put in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.common.datasets import (
    FASHION,
    Array,
    Parts,
    Task,
    digit_rows,
    digits,
    fashion_mnist,
    mlp,
    spoken_digits,
)
from kerasopt.callbacks import DropoutSchedule
from kerasopt.regularization import add_penalty, insert_dropout

# Models.


def cnn(shape: tuple[int, ...]) -> keras.Model:
    """Give a small CNN without any regularization, of 10 classes."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )


def conv1d(shape: tuple[int, ...]) -> keras.Model:
    """Give convolutions over time without any regularization, of 10 classes."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv1D(48, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(48, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )


def compiled(task: Task, parts: Parts) -> keras.Model:
    """Give the bare model; the cross entropy is a metric too, free of penalties."""
    model = task.build(parts.train.x.shape[1:])
    model.compile(
        keras.optimizers.Adam(task.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            "accuracy",
            keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=True),
        ],
    )
    return model


# Data.

Load = Callable[[Path], tuple[Array, Array, int]]


def held_out(load: Load, test: int) -> Load:
    """Keep the same samples for the test of every seed, those that choose strengths too."""

    @lru_cache(1)
    def loaded(path: Path) -> tuple[Array, Array, int]:
        x, y, _ = load(path)
        order = np.random.default_rng(2024).permutation(len(x))
        return x[order], y[order], test

    return loaded


SPOKEN = "data/spoken_digits.npz"
FAST = {"epochs": 60, "learning_rate": 2e-3}
SHARED = [
    Task(
        "Fashion-MNIST, CNN", FASHION, fashion_mnist, cnn, (1_000, 1_000, 10_000), **FAST, batch=64
    ),
    Task(
        "Fashion-MNIST, MLP", FASHION, fashion_mnist, mlp, (1_000, 1_000, 10_000), **FAST, batch=64
    ),
    Task(
        "spoken digits, Conv1D",
        SPOKEN,
        held_out(spoken_digits, 1_500),
        conv1d,
        (300, 600, 1_500),
        **FAST,
    ),
]
BUNDLED = [
    Task("digits, CNN", "", held_out(digits, 897), cnn, (300, 300, 897), **FAST),
    Task("digits, MLP", "", held_out(digits, 897), mlp, (300, 300, 897), **FAST),
    Task("digit rows, Conv1D", "", held_out(digit_rows, 897), conv1d, (300, 300, 897), **FAST),
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
    return [replace(task, sizes=(100, 60, 80), epochs=6) for task in found]


# What is put in.

Put = Callable[[keras.Model, float, int, dict[str, float]], tuple[keras.Model, list[Any]]]


@dataclass(frozen=True)
class Variant:
    """One kind of regularization.

    Attributes:
        name: For people.
        call: How it is put in, as code.
        strengths: The grid that its strength is chosen from.
        put: From the model, a strength, a seed and the strengths that are chosen already to the
            model that is trained and the callbacks of its `fit`.
        only: A part of the name of the tasks that it is for.
    """

    name: str
    call: str
    strengths: tuple[float, ...]
    put: Put
    only: str = ""


def _penalty(kind: Callable[[float], Any]) -> Put:
    def put(model: Any, strength: float, seed: int, chosen: Any) -> tuple[Any, list[Any]]:
        add_penalty(model, kind(strength))
        return model, []

    return put


def _dropout(kind: str) -> Put:
    def put(model: Any, strength: float, seed: int, chosen: Any) -> tuple[Any, list[Any]]:
        return insert_dropout(model, strength, kind=kind, seed=seed), []

    return put


def _both(model: Any, strength: float, seed: int, chosen: Any) -> tuple[Any, list[Any]]:
    model = insert_dropout(model, chosen["dropout"], seed=seed)
    add_penalty(model, strength)
    return model, []


def _scheduled(model: Any, strength: float, seed: int, chosen: Any) -> tuple[Any, list[Any]]:
    model = insert_dropout(model, 0.0, kind="scheduled", seed=seed)
    return model, [DropoutSchedule(strength)]


RATES = (0.2, 0.4, 0.6)
L2 = (2e-4, 1e-3, 5e-3)
VARIANTS = [
    Variant("none", "the model as it is", (0.0,), lambda model, *_: (model, [])),
    Variant("L2", "`add_penalty(model, s)`", L2, _penalty(keras.regularizers.L2)),
    Variant(
        "L1",
        "`add_penalty(model, keras.regularizers.L1(s))`",
        (2e-5, 1e-4, 5e-4),
        _penalty(keras.regularizers.L1),
    ),
    Variant("dropout", "`insert_dropout(model, s)`", RATES, _dropout("auto")),
    Variant("dropout + L2", "dropout at its chosen rate, then `add_penalty(model, s)`", L2, _both),
    Variant(
        "scheduled dropout",
        '`insert_dropout(model, 0.0, kind="scheduled")` and `DropoutSchedule(s)`, which rises from '
        "0 to s over the epochs of the full run",
        RATES,
        _scheduled,
    ),
    Variant(
        "spatial dropout",
        '`insert_dropout(model, s, kind="spatial_dropout")`',
        RATES,
        _dropout("spatial_dropout"),
        only="Conv1D|CNN",
    ),
    Variant(
        "DropBlock",
        '`insert_dropout(model, s, kind="drop_block")`',
        (0.1, 0.2, 0.4),
        _dropout("drop_block"),
        only="CNN",
    ),
]


def variants(task: Task, quick: bool = False) -> list[Variant]:
    """Give the variants that are for a task, in the order in which strengths are chosen.

    Args:
        task: The task.
        quick: Whether only to see that it works: only L2 has a choice, of two strengths.
    """
    found = [one for one in VARIANTS if any(part in task.name for part in one.only.split("|"))]
    if not quick:
        return found
    return [replace(one, strengths=one.strengths[: 1 + (one.name == "L2")]) for one in found]
