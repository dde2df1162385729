"""What regularization costs: rewriting a large model, the step time, one call of a callback."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.common.tables import bootstrapped, quartiles
from benchmarks.pruning import models
from benchmarks.pruning.models import BATCH, cnn, mlp
from kerasopt.callbacks import DropoutSchedule, WeightPenalty
from kerasopt.regularization import add_penalty, insert_dropout
from kerasopt.schedules import PolynomialDecay

Array = NDArray[np.float64]
FACTOR, RATE = 1e-4, 0.2
PLAIN, AGAIN = "plain `fit`", "plain `fit`, a second model"
CONSTANT, SCHEDULED = "constant L2 (`add_penalty`)", "`WeightPenalty` with a schedule"
UNSCHEDULED = "`WeightPenalty` without a schedule"
KERAS = "`keras.layers.Dropout`"
STILL, MOVING = "`ScheduledDropout`, no callback", "`ScheduledDropout` with `DropoutSchedule`"


def decay(final: float, steps: int) -> PolynomialDecay:
    """Give a schedule whose value is another one at every step of the run."""
    return PolynomialDecay(0.0, final, begin=0, end=steps)


def weight_penalty(steps: int) -> WeightPenalty:
    """Give the scheduled penalty."""
    return WeightPenalty(l2=FACTOR, schedule=decay(1.0, steps))


def dropout_schedule(steps: int) -> DropoutSchedule:
    """Give the scheduled rate."""
    return DropoutSchedule(decay(RATE, steps))


def _l2(model: Any) -> Any:
    add_penalty(model, FACTOR)
    return model


Change = Callable[[Any], Any]
VARIANTS: dict[str, tuple[Change, Callable[[int], list[Any]]]] = {
    PLAIN: (lambda model: model, lambda _: []),
    AGAIN: (lambda model: model, lambda _: []),  # what chance alone makes of the ratio
    CONSTANT: (_l2, lambda _: []),
    SCHEDULED: (lambda model: model, lambda steps: [weight_penalty(steps)]),
    UNSCHEDULED: (lambda model: model, lambda _: [WeightPenalty(l2=FACTOR)]),
    KERAS: (lambda model: insert_dropout(model, RATE, kind="dropout", seed=0), lambda _: []),
    STILL: (lambda model: insert_dropout(model, RATE, kind="scheduled", seed=0), lambda _: []),
    MOVING: (
        lambda model: insert_dropout(model, RATE, kind="scheduled", seed=0),
        lambda steps: [dropout_schedule(steps)],
    ),
}
PAIRS = [
    (AGAIN, PLAIN),
    (CONSTANT, PLAIN),
    (SCHEDULED, PLAIN),
    (SCHEDULED, CONSTANT),
    (UNSCHEDULED, CONSTANT),
    (KERAS, PLAIN),
    (STILL, KERAS),
    (MOVING, STILL),
    (MOVING, KERAS),
]


def step_ms(model: Any, data: tf.data.Dataset, steps: int, callbacks: list[Any]) -> float:
    """Give the mean time of a step of one `fit`, in milliseconds."""
    model.make_train_function(force=True)  # a `WeightPenalty` needs a new trace; so all get one
    return models.step_ms(keras, model, data, steps, callbacks)


def compare(build: Callable[[Any], Any], rounds: int, steps: int) -> dict[str, Array]:
    """Time every variant in every round, in an order drawn anew; milliseconds a step."""
    made = {}
    for name, (change, _) in VARIANTS.items():
        keras.utils.set_random_seed(0)
        made[name] = change(build(keras))
        made[name].compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * 20, *made[PLAIN].input_shape[1:])).astype("float32")
    y = rng.integers(0, 10, len(x))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).cache().repeat().take(steps)
    taken: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for number in range(rounds + 1):
        for name in rng.permutation(list(VARIANTS)):
            ms = step_ms(made[name], data, steps, VARIANTS[name][1](steps))
            if number:  # the first round warms up
                taken[name].append(ms)
        print(f"\r{build.__name__}: round {number} of {rounds}", end="", file=sys.stderr)
    print(file=sys.stderr, flush=True)
    return {name: np.array(values) for name, values in taken.items()}


def calls(build: Callable[[Any], Any], name: str, callback: Any, steps: int) -> tuple[Array, Array]:
    """Time single calls: µs of each `on_train_batch_begin`, ms of `on_epoch_end`, 20 times."""
    model = VARIANTS[name][0](build(keras))
    model.compile("adam", "mse")
    callback.set_params({"epochs": 1, "steps": steps, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    begin, end = [], []
    for batch in range(steps):
        begun = time.perf_counter()
        callback.on_train_batch_begin(batch)
        begin.append((time.perf_counter() - begun) * 1e6)
        callback.on_train_batch_end(batch)
    for _ in range(20):
        begun = time.perf_counter()
        callback.on_epoch_end(0, {})
        end.append((time.perf_counter() - begun) * 1e3)
    callback.on_train_end()
    return np.array(begin), np.array(end)


def rewriting(repeats: int) -> list[str]:
    """Time `insert_dropout` behind every ReLU of MobileNetV2, beside Keras's `clone_model`."""
    keras.utils.clear_session()
    model = keras.applications.MobileNetV2(weights=None)
    places = [layer.name for layer in model.layers if isinstance(layer, keras.layers.ReLU)]
    ways: dict[str, Callable[[Any], Any]] = {
        f"`insert_dropout(model, 0.2, after=names)`, {len(places)} places": lambda: insert_dropout(
            model, 0.2, after=places, seed=0
        ),
        "`keras.models.clone_model(model)` alone": lambda: keras.models.clone_model(model),
        "`clone_model`, then `set_weights(get_weights())`": lambda: keras.models.clone_model(
            model
        ).set_weights(model.get_weights()),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    rng = np.random.default_rng(0)
    for number in range(repeats + 1):
        for name in rng.permutation(list(ways)):
            begun = time.perf_counter()
            ways[name]()
            if number:  # the first round warms up
                taken[name].append(time.perf_counter() - begun)
    made = insert_dropout(model, 0.2, after=places, seed=0)
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    same = np.array_equal(model(x, training=False), made(x, training=False))
    lines = [
        "### Rewriting MobileNetV2",
        "",
        f"224 x 224, {len(model.layers)} layers, random weights; medians of {repeats}, after one "
        f"round that warms up, in random order. The new model has "
        f"{len(made.layers) - len(model.layers)} layers more and gives "
        f"{'the same' if same else 'NOT the same'} output in inference, bit for bit. Goal: below "
        "2 s.",
        "",
        "| what | seconds, median | least to most |",
        "|---|--:|--:|",
    ]
    lines += [
        f"| {name} | {np.median(values):.2f} | {min(values):.2f} to {max(values):.2f} |"
        for name, values in taken.items()
    ]
    return [*lines, ""]


def cost(rounds: int, steps: int, builds: Sequence[tuple[Any, str]] = ()) -> list[str]:
    """Measure all of it and give the section of the report."""
    before = os.getloadavg()[0]
    lines = ["## Cost", "", *rewriting(5)]
    lines += [
        "### Step time",
        "",
        f"The models of `benchmarks.callbacks`, batch {BATCH}; {rounds} rounds, in each of which "
        f"every variant runs one `fit` of {steps} steps, in an order drawn anew; every `fit` "
        "traces anew, and its first step is left out. The ratio is taken within the round. L2 of "
        f"{FACTOR:g} on all kernels; the schedules are a `PolynomialDecay` from 0 over the run, so "
        "the value is another one at every step; dropout of "
        f"{RATE:g} at the usual places. The interval of the median is of 4,000 bootstrap samples "
        "of the rounds. Goal: scheduled against constant L2 at most 1.05.",
        "",
        "| model | what | ratio, median | middle half | 95 % interval of the median | "
        "ratio of the least times |",
        "|---|---|--:|--:|--:|--:|",
    ]
    sizes = builds or ((mlp, "MLP 512-1024-512"), (cnn, "small CNN"))
    times = []
    for build, title in sizes:
        taken = compare(build, rounds, steps)
        plain = taken[PLAIN]
        for over, under in PAIRS:
            ratio = taken[over] / taken[under]
            low, high = bootstrapped(ratio)
            lines.append(
                f"| {title} | {over} / {under} | {quartiles(ratio, 3)} | {low:.3f} to {high:.3f} "
                f"| {taken[over].min() / taken[under].min():.3f} |"
            )
        times.append(
            f"{title} {np.median(plain):.2f} ms (rounds from {plain.min():.2f} to "
            f"{plain.max():.2f})"
        )
    lines += [
        "",
        f"A step of plain `fit`: {'; '.join(times)}. The load of the machine ({os.cpu_count()} "
        f"cores) was {before:.1f} before and {os.getloadavg()[0]:.1f} after.",
        "",
        "One call by itself, outside `fit`, 2,000 steps and 20 ends of an epoch:",
        "",
        "| model | callback | `on_train_batch_begin`, µs, median | middle half | mean | "
        "`on_epoch_end`, ms, median | middle half |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for build, title in sizes:
        for name, make in (
            (SCHEDULED, weight_penalty),
            (UNSCHEDULED, lambda _: WeightPenalty(l2=FACTOR)),
            (MOVING, dropout_schedule),
        ):
            begin, end = calls(build, name, make(2_000), 2_000)
            lines.append(
                f"| {title} | {name} | {quartiles(begin, 1)} | {begin.mean():.1f} "
                f"| {quartiles(end, 2)} |"
            )
    return [*lines, ""]
