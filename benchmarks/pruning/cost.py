"""What pruning costs, ours beside tfmot in the same rounds: steps, updates of masks, memory."""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.common.memory import status
from benchmarks.pruning.models import MODELS, compiled, noise, step_ms
from benchmarks.pruning.process import Tfmot
from kerasopt.callbacks import Pruning
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.pruning.scopes import get as get_scope
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import select

Array = NDArray[np.float64]
OURS, THEIRS = "kerasopt", "tfmot"
PLAIN, AGAIN, HUNDRED, EVERY = "plain", "plain, a second model", "every 100 steps", "every step"
FREQUENCIES = {PLAIN: 0, AGAIN: 0, HUNDRED: 100, EVERY: 1}
Key = tuple[str, str]


def compare(name: str, rounds: int, steps: int, few: int, tfmot: Tfmot) -> dict[Key, Array]:
    """Time every variant of both in every round, in an order drawn anew; milliseconds a step.

    Args:
        name: Which of `MODELS`.
        rounds: How many, after one that warms up.
        steps: Of each `fit`.
        few: Of each `fit` with an update at every step.
        tfmot: The other process; only one of the two computes at a time.
    """
    lengths = {variant: few if variant == EVERY else steps for variant in FREQUENCIES}
    models = {}
    for variant in FREQUENCIES:
        keras.utils.set_random_seed(0)
        models[variant] = compiled(keras, MODELS[name](keras))
    tfmot.ask("build", name=name, frequencies=FREQUENCIES, lengths=lengths)

    def ours(variant: str) -> float:
        length, frequency = lengths[variant], FREQUENCIES[variant]
        model = models[variant]
        decay = PolynomialDecay(0.0, 0.8, begin=0, end=length - 1)
        callbacks = [Pruning(decay, frequency=frequency, scope="layer")] if frequency else []
        model.make_train_function(force=True)  # `Pruning` needs a new trace; so all get one
        return step_ms(keras, model, noise(model.input_shape[1:], length), length, callbacks)

    def theirs(variant: str) -> float:
        return float(tfmot.ask("timed", variant=variant, steps=lengths[variant]))

    keys = [(who, variant) for who in (OURS, THEIRS) for variant in FREQUENCIES]
    taken: dict[Key, list[float]] = {key: [] for key in keys}
    rng = np.random.default_rng(0)
    for number in range(rounds + 1):
        for index in rng.permutation(len(keys)):
            who, variant = keys[index]
            ms = ours(variant) if who == OURS else theirs(variant)
            if number:  # the first round warms up
                taken[who, variant].append(ms)
        print(f"{name}: round {number} of {rounds}", file=sys.stderr, flush=True)
    return {key: np.array(values) for key, values in taken.items()}


UPDATES = (
    ("dense, to 50 %", 0.0, 0.5),
    ("dense, to 80 %", 0.0, 0.8),
    ("80 % zeros already, to 80 %", 0.8, 0.8),
    ("80 % zeros already, to 85 %", 0.8, 0.85),
)


def masked(*shapes: tuple[int, int]) -> tuple[Any, Masks]:
    """Give a model with kernels of these shapes, and the masks that `Pruning` would put on it."""
    inputs = [keras.Input((rows,)) for rows, _ in shapes]
    outputs = [
        keras.layers.Dense(columns, use_bias=False)(one)
        for one, (_, columns) in zip(inputs, shapes, strict=True)
    ]
    model = keras.Model(inputs, outputs)
    return model, Masks(model, select(model))


def fill(model: Any, zeros: float) -> None:
    """Give the kernels random weights of which a share is zero already."""
    rng = np.random.default_rng(0)
    for kernel in model.trainable_variables:
        weights = rng.normal(size=tuple(kernel.shape)).astype("float32")
        weights[rng.random(weights.shape) < zeros] = 0.0
        kernel.assign(weights)


def update_ms(side: int, repeats: int, few: int, tfmot: Tfmot) -> dict[tuple[str, str], Array]:
    """Time choosing and writing the mask of a kernel of side x side, ours beside tfmot's.

    Args:
        side: Of the kernel.
        repeats: How many, after one that warms up.
        few: How many of tfmot's, which take long.
        tfmot: The other process.

    Returns:
        Milliseconds by whose it is and the title of `UPDATES`.
    """
    model, masks = masked((side, side))
    taken: dict[tuple[str, str], list[float]] = {}
    for number in range(repeats + 1):
        for title, zeros, sparsity in UPDATES:
            gc.collect()  # before the weights are written, which training does right before too
            fill(model, zeros)
            begun = time.perf_counter()
            masks.choose(sparsity)
            ms = [(OURS, (time.perf_counter() - begun) * 1e3)]
            if number <= few:
                found = tfmot.ask("update", side=side, zeros=zeros, sparsity=sparsity)
                ms.append((THEIRS, found))
            for who, value in ms if number else []:  # the first round warms up
                taken.setdefault((who, title), []).append(value)
    return {key: np.array(values) for key, values in taken.items()}


class Peak(NamedTuple):
    """The most memory that an update needs beside what is there.

    Attributes:
        weights: How many there are.
        largest: How many are in the largest kernel.
        numpy: Bytes of NumPy's arrays at their peak, as `tracemalloc` counts them.
        process: Bytes by which the process grew at its peak, TensorFlow's included; NaN where the
            system does not tell.
    """

    weights: int
    largest: int
    numpy: float
    process: float


def peak(shapes: list[tuple[int, int]], scope: str, zeros: float, sparsity: float) -> Peak:
    """Measure one update, after one that warms up."""
    model, masks = masked(*shapes)
    sizes = [rows * columns for rows, columns in shapes]
    fill(model, zeros)
    masks.choose(sparsity, get_scope(scope))

    def update() -> None:
        masks.choose(sparsity, get_scope(scope))

    fill(model, zeros)
    process = _process_peak(update)
    fill(model, zeros)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    update()
    numpy = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return Peak(sum(sizes), max(sizes), float(numpy), process)


def _process_peak(update: Callable[[], None]) -> float:
    """Give the bytes by which the process grows while it runs; Linux tells, if it may be asked."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = status("VmRSS")
        update()
        return status("VmHWM") - before
    except (OSError, StopIteration):
        return float("nan")
