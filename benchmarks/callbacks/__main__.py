"""Step time of `fit` with each callback, as a ratio to plain `fit`, interleaved in one run.

    python -m benchmarks.callbacks [--rounds 30] [--steps 200] [--output benchmarks/results]

Every round times each variant once, in an order that rotates, on the same model, data and batch
size (128), and the ratio is taken within the round: a machine that slows down slows all of them.
Shown are the median ratio, the middle half of the rounds and the mean. Then the time of choosing
and writing the masks of a kernel of 1 M weights, dense and already 80 % zeros.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.common.environment import RESULTS, command, measured_on
from benchmarks.pruning.models import BATCH, cnn, mlp, step_times
from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import select


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


def step_ms(model: keras.Model, data: tf.data.Dataset, steps: int, callbacks: list[Any]) -> float:
    """Give the mean time of a step of one `fit`, in milliseconds."""
    times = step_times(keras)
    model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[*callbacks, times])
    return float(times.seconds / (steps - 1) * 1e3)


def compare(build: Callable[[Any], Any], rounds: int, steps: int) -> dict[str, np.ndarray]:
    """Time every variant in every round; arrays of shape (rounds,), in milliseconds a step."""
    models = {}
    for name in VARIANTS:
        keras.utils.set_random_seed(0)
        models[name] = build(keras)
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
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    lines = [
        "# Overhead of the callbacks",
        "",
        f"{measured_on()}; {command()}: "
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
