"""Which defaults of `Pruning` lose least: which layers, which scope, which end of the ramp.

    python -m benchmarks.pruning.defaults --output benchmarks/results/pruning_defaults.md

Four small models are trained once a seed, then pruned to 50, 80 and 90 % while they are fine-tuned
from these weights. In stages, as the full product of factors would tell little more:

1. Pilot, one seed, MobileNet-like and ResNet-8: layers (all, no depthwise ones, none of these nor
   the first and last) x scope with the ramp's end at 0.75 of the run; then other ends.
2. What the pilot left, with the settings of before for comparison: all four models, three seeds.
3. `Pruning(schedule)` as it is today, nothing else said: layers and scope are its own.
4. At 90 % seeds differ so much that the default and what it was chosen from have nine of them.

Runs are recorded in `--cache` as they are made, all of seed 0 first; what is there is not made
again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from benchmarks.common.datasets import FASHION, Parts, Task, digits, fashion_mnist, mlp
from benchmarks.common.environment import SHARED, command, measured_on
from benchmarks.pruning.models import classifier
from kerasopt.callbacks import Pruning
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import select

SPARSITIES = (0.5, 0.8, 0.9)
ALL, NO_DEPTHWISE, INNER = "all", "no depthwise", "no depthwise, first, last"
TODAY, AUTO = "today's default", "auto"
MOBILENET, RESNET = "MobileNet-like", "ResNet-8"
LAYERS = (ALL, NO_DEPTHWISE, INNER)
SHOWN = (*LAYERS, TODAY)
MANY = range(9)
Run = dict[str, Any]


class Wanted(NamedTuple):
    """One run; sparsity 0 is fine-tuning without pruning."""

    model: str
    seed: int
    sparsity: float
    layers: str = ALL
    scope: str = "layer"
    end: float = 0.75


class Trained(NamedTuple):
    """What a model's runs of one seed begin with."""

    parts: Parts
    weights: list[Any]


# Models.


def _normed(x: Any, layer: Any, active: bool = True) -> Any:
    x = keras.layers.BatchNormalization()(layer(x))
    return keras.layers.ReLU()(x) if active else x


def _conv(filters: int, size: int = 3, strides: int = 1) -> Any:
    return keras.layers.Conv2D(filters, size, strides, padding="same", use_bias=False)


def _depthwise(strides: int = 1) -> Any:
    return keras.layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)


def mobilenet(shape: tuple[int, ...]) -> keras.Model:
    """Give a CNN of depthwise separable convolutions, as MobileNet's first version has them."""
    inputs = keras.Input(shape)
    x = _normed(inputs, _conv(24, strides=2))
    for filters, strides in ((48, 2), (64, 1), (96, 2), (128, 1)):
        x = _normed(x, _depthwise(strides))
        x = _normed(x, _conv(filters, 1))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def resnet(shape: tuple[int, ...]) -> keras.Model:
    """Give a ResNet-8: three blocks of two convolutions, with projections where it narrows."""
    inputs = keras.Input(shape)
    x = _normed(inputs, _conv(16, strides=2))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = _normed(x, _conv(filters, strides=strides))
        y = _normed(y, _conv(filters), active=False)
        if strides > 1:
            x = _normed(x, _conv(filters, 1, strides), active=False)
        x = keras.layers.ReLU()(keras.layers.add([x, y]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def tasks(data: Path) -> dict[str, Task]:
    """Give the tasks by the name of the model, on the digits where Fashion-MNIST is not there."""
    built = {
        MOBILENET: mobilenet,
        RESNET: resnet,
        "plain CNN": lambda shape: classifier(keras, shape),
    }
    found = {}
    for name, build in built.items():
        if (data / FASHION).exists():
            sizes = (3_000, 500, 4_000)
            found[name] = Task(name, FASHION, fashion_mnist, build, sizes, 5, 64)
        else:
            found[name] = Task(name, "", digits, build, (600, 300, 897), 20, 32)
    found["MLP (digits)"] = Task("MLP", "", digits, mlp, (600, 300, 897), 12, 32)
    return found


# Runs.


def pretrained(task: Task, data: Path, seed: int) -> Trained:
    """Train a model for twice the time that the fine-tuning has."""
    parts = task.parts(data, seed)
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = _fitted(task, task.build(parts.train.x.shape[1:]), parts, 2, 2e-3, [])
    return Trained(parts, model.get_weights())


def _fitted(
    task: Task, model: Any, parts: Parts, times: int, rate: float, callbacks: list[Any]
) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    x, y = parts.train
    epochs = times * task.epochs
    model.fit(x, y, task.batch, epochs, verbose=0, callbacks=callbacks)
    return model


def included(model: Any, layers: str) -> list[Any] | None:
    """Give the layers whose kernels are pruned, or None for what `Pruning` chooses."""
    if layers == TODAY:
        return None
    targets = select(model)
    if layers == INNER:
        targets = targets[1:-1]
    spared = keras.layers.DepthwiseConv2D
    return [t.layer for t in targets if layers == ALL or not isinstance(t.layer, spared)]


def run(task: Task, trained: Trained, wanted: Wanted) -> Run:
    """Prune while fine-tuning, and judge by the test part."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(wanted.seed)
    model = task.build(trained.parts.train.x.shape[1:])
    model.set_weights(trained.weights)
    callbacks = []
    if wanted.sparsity:
        schedule = PolynomialDecay(0.0, wanted.sparsity, begin=0, end=wanted.end)
        include = included(model, wanted.layers)
        callbacks.append(Pruning(schedule, include=include, scope=wanted.scope))
    _fitted(task, model, trained.parts, 1, 1e-3, callbacks)
    kernels = [target.variable.numpy() for target in select(model)]
    guesses = model.predict(trained.parts.test.x, 500, verbose=0).argmax(1)
    return {
        "accuracy": float((guesses == trained.parts.test.y).mean()),
        "left": sum(int(np.count_nonzero(one)) for one in kernels),
        "kernels": sum(one.size for one in kernels),
    }


def pilot(model: str) -> list[Wanted]:
    """Give the runs of all settings, of one model and one seed."""
    found = [Wanted(model, 0, 0.0)]
    for sparsity in SPARSITIES:
        for layers in LAYERS if model == MOBILENET else (ALL, INNER):
            found += [Wanted(model, 0, sparsity, layers, one) for one in ("layer", "global")]
        spared = _spared(model, NO_DEPTHWISE)
        found.append(Wanted(model, 0, sparsity, spared, "erk"))
        found += [Wanted(model, 0, sparsity, spared, "global", end) for end in (0.5, 1.0)]
    return found


def contenders(model: str, seed: int) -> list[Wanted]:
    """Give the runs of what the pilot left, of one model and one seed."""
    found = [Wanted(model, seed, 0.0)]
    for sparsity in SPARSITIES:
        settings = [
            (ALL, "layer", 0.75),
            (_spared(model, NO_DEPTHWISE), "layer", 0.75),
            (_spared(model, NO_DEPTHWISE), "global", 0.75),
            (INNER, "global", 0.75),
            (_spared(model, NO_DEPTHWISE), "global", 0.5),
        ]
        settings.append((TODAY, AUTO, 0.75))
        found += [Wanted(model, seed, sparsity, *one) for one in dict.fromkeys(settings)]
    return found


def close(model: str) -> list[tuple[str, str, float]]:
    """Give the settings that have more seeds, at 90 %."""
    spared = _spared(model, NO_DEPTHWISE)
    return [(spared, "layer", 0.75), (spared, "global", 0.75), (TODAY, AUTO, 0.75)]


def _spared(model: str, layers: str) -> str:
    """Give what is the same where there are no depthwise kernels."""
    return ALL if layers == NO_DEPTHWISE and model != MOBILENET else layers


class Runs:
    """The recorded runs, one a line of a file."""

    def __init__(self, path: Path):
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        pairs = [json.loads(line) for line in lines]
        self._found = {Wanted(*wanted): run for wanted, run in pairs}

    def __contains__(self, wanted: Wanted) -> bool:
        return wanted in self._found

    def keep(self, wanted: Wanted, found: Run) -> None:
        """Record one."""
        self._found[wanted] = found
        with self._path.open("a") as file:
            file.write(f"{json.dumps([wanted, found])}\n")
        print(*wanted, f"{found['accuracy']:.4f}", file=sys.stderr, flush=True)

    def of(self, model: str, seeds: Sequence[int], *how: Any) -> list[Run]:
        """Give the runs of some settings, of the seeds for which there are any."""
        wanted = [Wanted(model, seed, *how) for seed in seeds]
        return [self._found[one] for one in wanted if one in self._found]

    def settings(self, model: str) -> list[tuple[Any, ...]]:
        """Give all settings of a model, in the order in which they were tried."""
        found = [tuple(one[3:]) for one in self._found if one.model == model and one.sparsity]
        return sorted(dict.fromkeys(found), key=lambda one: (SHOWN.index(one[0]), one[1:]))


def _shown(found: Sequence[Run]) -> str:
    if not found:
        return ""
    accuracies = [100 * one["accuracy"] for one in found]
    left = np.mean([one["left"] / one["kernels"] for one in found])
    spread = f" +- {np.std(accuracies, ddof=1):.1f}" if len(found) > 1 else ""
    return f"{np.mean(accuracies):.1f}{spread} ({100 * left:.0f})"


def record(runs: Runs, data: Path, seeds: Sequence[int]) -> None:
    """Make the runs that are missing."""
    for seed in range(max(len(seeds), len(MANY))):
        for name, task in tasks(data).items():
            wanted = contenders(name, seed) if seed in seeds else []
            if seed == 0 and name in (MOBILENET, RESNET):
                wanted += pilot(name)
            if name in (MOBILENET, RESNET):
                wanted += [Wanted(name, seed, 0.9, *how) for how in close(name)]
            missing = [one for one in dict.fromkeys(wanted) if one not in runs]
            if missing:
                trained = pretrained(task, data, seed)
                for one in missing:
                    runs.keep(one, run(task, trained, one))


# Report.


def report(runs: Runs, names: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """Give the tables."""
    lines = [
        "# The defaults of Pruning: which layers, which scope, which end",
        "",
        f"{measured_on()}. {command()}",
        "",
        "Test accuracy in percent, mean and standard deviation over seeds; in brackets the "
        "percentage of all the model's kernel weights that are left. Each model is trained once a "
        "seed; all its rows fine-tune from these weights, for half as many epochs. Rows of one "
        "seed are of the pilot; the column says how many seeds the others have.",
        "",
    ]
    for name in names:
        lines += [
            f"## {name}",
            "",
            f"Fine-tuned without pruning: {_shown(runs.of(name, seeds, 0.0))}.",
            "",
            f"| layers | scope | end | seeds | {' | '.join(f'{s:.0%}' for s in SPARSITIES)} |",
            "|---|---|--:|--:|--:|--:|--:|",
        ]
        for how in runs.settings(name):
            found = [runs.of(name, seeds, sparsity, *how) for sparsity in SPARSITIES]
            cells = " | ".join(map(_shown, found))
            many = max(map(len, found))
            lines.append(f'| {how[0]} | `"{how[1]}"` | {how[2]:g} | {many} | {cells} |')
        lines.append("")
    lines += [
        f"## At 90 %, {len(MANY)} seeds",
        "",
        "| model | layers | scope | accuracy | lowest | highest |",
        "|---|---|---|--:|--:|--:|",
    ]
    for name in (MOBILENET, RESNET):
        for how in close(name):
            found = runs.of(name, MANY, 0.9, *how)
            rates = [100 * one["accuracy"] for one in found]
            spread = f"{min(rates):.1f} | {max(rates):.1f}" if rates else "|"
            lines.append(f'| {name} | {how[0]} | `"{how[1]}"` | {_shown(found)} | {spread} |')
    return [*lines, ""]


def main(arguments: Sequence[str] | None = None) -> None:
    """Record and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of Fashion-MNIST")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/pruning_defaults.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--report", action="store_true", help="only what is recorded")
    given = parser.parse_args(arguments)
    runs, seeds = Runs(given.cache), range(given.seeds)
    if not given.report:
        record(runs, given.data, seeds)
    text = "\n".join(report(runs, list(tasks(given.data)), seeds))
    print(text)
    if given.output:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
