"""What the callback costs: with all epoch rules at once, with gradient rules, within epochs."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.common.datasets import Part, Parts, Task
from benchmarks.common.tables import quartiles
from benchmarks.early_stopping.record import PROBE
from kerasopt.callbacks import EarlyStopping
from kerasopt.stopping import (
    AnyOf,
    Divergence,
    Extrapolation,
    GeneralizationGap,
    GeneralizationLoss,
    GradientDisparity,
    GradientEvidence,
    LowProgress,
    NonFinite,
    Patience,
    ProgressQuotient,
    Rule,
    Slope,
    Threshold,
    TimeBudget,
    UpStrips,
)

EPOCHS = 3
PLAIN, AGAIN = "plain `fit`", "plain `fit`, a second model"


def never(rule: Rule) -> Rule:
    """Give a rule that does all the work of another and never stops a run."""
    return rule & Threshold(-1e9, monitor="loss")


def all_epoch_rules() -> Rule:
    """Give every rule that needs no gradients, each at work from the first epochs on."""
    return AnyOf(
        [
            Divergence(factor=2),
            Extrapolation(min_epochs=4),
            GeneralizationGap(factor=1.5),
            GeneralizationLoss(),
            LowProgress(strip=2),
            NonFinite(),
            Patience(1, min_delta=0.01, relative=True, smoothing=0.5),
            ProgressQuotient(strip=2),
            Slope(3),
            Threshold(1e-9),
            TimeBudget("100:00:00"),
            UpStrips(2, strip=1),
        ]
    )


def guards() -> Rule:
    """Give what one has asked within an epoch."""
    return NonFinite() | Divergence(factor=1e9, monitor="loss")


def variants(parts: Parts) -> dict[str, Callable[[], list[Any]]]:
    """Give what is timed: a name, and the callbacks of a `fit`."""
    probe = (parts.train.x[:PROBE], parts.train.y[:PROBE])

    def stopper(rule: Rule, **options: Any) -> list[Any]:
        return [EarlyStopping(monitor="val_loss", rules=rule, **options)]

    return {
        PLAIN: list,
        AGAIN: list,  # what chance alone makes of the ratio
        "all epoch rules": lambda: stopper(never(all_epoch_rules())),
        "`GradientDisparity`": lambda: stopper(never(GradientDisparity()), probe=probe),
        "`GradientEvidence`": lambda: stopper(never(GradientEvidence()), probe=probe),
        "guards, `check=100`": lambda: stopper(guards(), check=100),
        "guards, `check=1`": lambda: stopper(guards(), check=1),
    }


def compare(task: Task, parts: Parts, rounds: int) -> dict[str, NDArray[np.float64]]:
    """Time every variant in every round; arrays of shape (rounds,), in milliseconds an epoch."""
    made = variants(parts)
    models = {}
    for name in made:
        keras.utils.set_random_seed(0)
        models[name] = task.compiled(parts)
    names = list(made)
    taken: dict[str, list[float]] = {name: [] for name in names}
    rng = np.random.default_rng(0)
    for number in range(rounds + 1):
        for name in rng.permutation(names):
            callbacks = made[name]()
            begun = time.perf_counter()
            models[name].fit(
                *parts.train,
                batch_size=task.batch,
                epochs=EPOCHS,
                validation_data=parts.validation,
                validation_batch_size=500,
                callbacks=callbacks,
                verbose=0,
            )
            ms = (time.perf_counter() - begun) * 1e3 / EPOCHS
            if number:  # the first round warms up
                taken[name].append(ms)
        print(f"\roverhead: round {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: np.array(values) for name, values in taken.items()}


def epoch_end_ms(
    task: Task, parts: Parts, stopper: EarlyStopping, improving: bool, epochs: int = 60
) -> NDArray[np.float64]:
    """Time `on_epoch_end` itself.

    Args:
        task: Whose model it is.
        parts: Its data.
        stopper: The callback.
        improving: Whether each epoch is the best, so that its weights are kept.
        epochs: How many; the first ten are left out.
    """
    model = task.compiled(parts)
    model.evaluate(*parts.validation, verbose=0)  # makes the variables of the metrics
    stopper.set_params({})
    stopper.set_model(model)
    stopper.on_train_begin()
    taken = []
    for epoch in range(epochs):
        value = 1.0 + (1.0 if improving else -1.0) / (epoch + 1)
        logs = {"accuracy": 0.5, "loss": value, "val_accuracy": 0.5, "val_loss": value}
        stopper.on_epoch_begin(epoch)
        begun = time.perf_counter()
        stopper.on_epoch_end(epoch, logs)
        taken.append((time.perf_counter() - begun) * 1e3)
    stopper.on_train_end()
    return np.array(taken[10:])


def step_end_us(calls: int = 10_000) -> float:
    """Give the mean time of `on_train_batch_end` of a callback that is asked once an epoch."""
    stopper = EarlyStopping(monitor="val_loss", rules=all_epoch_rules())
    begun = time.perf_counter()
    for batch in range(calls):
        stopper.on_train_batch_end(batch, None)
    return (time.perf_counter() - begun) / calls * 1e6


def overhead(task: Task, parts: Parts, rounds: int) -> list[str]:
    """Measure and give the section of the report."""
    steps = -(-len(parts.train.x) // task.batch)
    before, nothing = os.getloadavg()[0], step_end_us()
    taken = compare(task, parts, rounds)
    plain = taken[PLAIN]
    lines = [
        "## Overhead",
        "",
        f"{task.name}, {len(parts.train.x):,} samples, {steps} steps an epoch and a validation on "
        f"{len(parts.validation.x):,}; {rounds} rounds, in each of which every variant runs one "
        f"`fit` of {EPOCHS} epochs, in an order drawn anew. The ratio is taken within the round. "
        "`EarlyStopping` keeps and restores the best weights. All epoch rules: the 12 rules that "
        f"need no gradients, asked at once. Gradients on {PROBE} samples.",
        "",
        "| callback | ratio to plain `fit`, median | middle half | ratio of the least times | "
        "ms an epoch more, median | middle half | µs a step more |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, values in taken.items():
        more = values - plain
        lines.append(
            f"| {name} | {quartiles(values / plain, 3)} | {values.min() / plain.min():.3f} "
            f"| {quartiles(more, 1)} "
            f"| {np.median(more) / steps * 1e3:.0f} |"
        )
    lines += [
        "",
        f"Plain `fit` takes {np.median(plain):.0f} ms an epoch (median). The rounds of plain `fit` "
        f"alone spread from {plain.min() / np.median(plain):.2f} to "
        f"{plain.max() / np.median(plain):.2f} of their median; the load of the machine "
        f"({os.cpu_count()} cores) was {before:.1f} before and {os.getloadavg()[0]:.1f} after.",
        "",
        f'In a step, a callback with `check="epoch"` does nothing: {nothing:.2f} µs of '
        f"`on_train_batch_end`, {nothing * steps / 1e3:.2f} ms an epoch. `on_epoch_end` timed by "
        "itself over 50 epochs:",
        "",
        "| callback | epochs | ms, median | middle half | share of the shortest plain epoch, % |",
        "|---|---|--:|--:|--:|",
    ]
    made = variants(parts)
    for name, improving in (
        ("all epoch rules", False),
        ("all epoch rules", True),
        ("`GradientDisparity`", False),
        ("`GradientEvidence`", False),
    ):
        ms = epoch_end_ms(task, parts, made[name]()[0], improving)
        title = "each is the best, weights kept" if improving else "none is better"
        share = 100 * np.median(ms) / plain.min()
        lines.append(f"| {name} | {title} | {quartiles(ms, 2)} | {share:.2f} |")
    return [*lines, ""]


def longer(parts: Parts, samples: int) -> Parts:
    """Repeat the training part up to so many samples, so that an epoch is of a usual length."""
    rows = np.arange(samples) % len(parts.train.x)
    return parts._replace(train=Part(parts.train.x[rows], parts.train.y[rows]))
