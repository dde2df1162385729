"""Step time of `fit` with each callback, as a ratio to plain `fit`, interleaved in one run.

    python benchmarks/overhead.py [--rounds 30] [--steps 200] [--output benchmarks/results]

Every round times each variant once, in an order that rotates, on the same model, data and batch
size (128), and the ratio is taken within the round: a machine that slows down slows all of them.
Shown are the median ratio, the middle half of the rounds and the mean. Then the time of choosing
and writing the masks of a kernel of 1 M weights, dense and already 80 % zeros.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from measured import command, measured_on

from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import select

BATCH = 128


def mlp() -> keras.Model:
    """Give an MLP of 512-1024-512 units and 10 classes."""
    return keras.Sequential(
        [
            keras.Input((512,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(1024, activation="relu"),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def cnn() -> keras.Model:
    """Give a small CNN for 28 x 28 images."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


def decay(steps: int) -> PolynomialDecay:
    """Give a schedule over a whole run."""
    return PolynomialDecay(0.0, 0.8, begin=0, end=steps)


VARIANTS: dict[str, Callable[[int], list[Any]]] = {
    "plain fit": lambda _steps: [],
    "EarlyStopping": lambda _steps: [EarlyStopping(monitor="loss", patience=10)],
    "Pruning, masks every 100 steps": lambda steps: [
        Pruning(decay(steps), frequency=100, scope="layer")
    ],
    "Pruning, masks every step": lambda steps: [Pruning(decay(steps), frequency=1, scope="layer")],
}


class StepTimes(keras.callbacks.Callback):
    """Time the steps of one `fit` from the end of the first to the end of the last.

    The first step traces and compiles; it is left out.
    """

    async_safe = True

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Start the clock at the second step."""
        if batch == 1:
            self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop the clock."""
        self.seconds = time.perf_counter() - self.begun


def step_ms(model: keras.Model, data: tf.data.Dataset, steps: int, callbacks: list[Any]) -> float:
    """Give the mean time of a step of one `fit`, in milliseconds."""
    times = StepTimes()
    model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[*callbacks, times])
    return times.seconds / (steps - 1) * 1e3


def compare(build: Callable[[], keras.Model], rounds: int, steps: int) -> dict[str, np.ndarray]:
    """Time every variant in every round; arrays of shape (rounds,), in milliseconds a step."""
    models = {}
    for name in VARIANTS:
        keras.utils.set_random_seed(0)
        models[name] = build()
        models[name].compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    shape = models["plain fit"].input_shape[1:]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * 20, *shape)).astype("float32")
    y = rng.integers(0, 10, len(x))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).cache().repeat().take(steps)
    taken: dict[str, list[float]] = {name: [] for name in VARIANTS}
    names = list(VARIANTS)
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            ms = step_ms(models[name], data, steps, VARIANTS[name](steps))
            if number:  # the first round warms up
                taken[name].append(ms)
        print(f"\r{build.__name__}: round {number} of {rounds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {name: np.array(values) for name, values in taken.items()}


def mask_update_ms(zeros: float, repeats: int = 30) -> np.ndarray:
    """Time choosing and writing the mask of a 1024 x 1024 kernel, as `Pruning` does it."""
    model = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(1024)])
    model.compile("adam", "mse")
    kernel = model.layers[0].kernel
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(1024, 1024)).astype("float32")
    weights[rng.random(weights.shape) < zeros] = 0.0
    masks = Masks(model, select(model))
    taken = []
    for _ in range(repeats + 3):
        kernel.assign(weights)
        begun = time.perf_counter()
        masks.choose(zeros or 0.63)
        kernel.value.numpy()
        taken.append((time.perf_counter() - begun) * 1e3)
    return np.array(taken[3:])


def main() -> None:
    """Run it and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    lines = [
        "# Overhead of the callbacks",
        "",
        f"{measured_on()}; {command('overhead.py')}: "
        f"{arguments.rounds} rounds of {arguments.steps} steps, batch {BATCH}.",
        "",
        "Ratio of the step time to plain `fit` in the same round.",
        "",
        "| model | variant | median | middle half | mean | ms a step (median) |",
        "|---|---|---|---|---|---|",
    ]
    for build, title in ((mlp, "MLP 512-1024-512"), (cnn, "small CNN")):
        taken = compare(build, arguments.rounds, arguments.steps)
        for name, values in taken.items():
            ratio = values / taken["plain fit"]
            low, middle, high = np.percentile(ratio, [25, 50, 75])
            lines.append(
                f"| {title} | {name} | {middle:.3f} | {low:.3f} to {high:.3f} | "
                f"{ratio.mean():.3f} | {np.median(values):.2f} |"
            )
    lines += [
        "",
        "Choosing and writing the mask of one kernel of 1,048,576 weights, median and middle half:",
        "",
        "| weights | ms |",
        "|---|---|",
    ]
    for zeros, title in ((0.0, "dense, to 63 % zeros"), (0.8, "80 % zeros already, to 80 %")):
        low, middle, high = np.percentile(mask_update_ms(zeros), [25, 50, 75])
        lines.append(f"| {title} | {middle:.2f} ({low:.2f} to {high:.2f}) |")
    text = "\n".join(lines) + "\n"
    print(text)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "overhead.md").write_text(text)


if __name__ == "__main__":
    main()
