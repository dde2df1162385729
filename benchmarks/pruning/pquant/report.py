"""Tables of `benchmarks.pruning.pquant`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common.tables import bootstrapped
from benchmarks.pruning.pquant.process import Pquant, ask, reached
from benchmarks.pruning.pquant.settings import SPARSITY, Plan, named
from benchmarks.pruning.pquant.training import OURS, PLAIN
from benchmarks.pruning.quality import SAME, SIZED_SEED, TUNING_SEEDS, Run, Runs, Wanted
from benchmarks.pruning.quality_report import interval, percent, shown
from benchmarks.pruning.training import Job

BEST = "global"


def each(run: Run) -> str:
    """Give the sparsity of each kernel."""
    shares = zip(run["zeros"], run["sizes"], strict=True)
    return ", ".join(f"{100 * zeros / size:.1f}" for zeros, size in shares)


def accuracy(ours: dict[str, list[Run]], theirs: dict[str, list[Run]]) -> list[str]:
    """Give the table of accuracies; all of theirs are compared with each of ours."""
    lines = [
        "| variant | sparsity reached | of each kernel, seed 0 | test accuracy | "
        + " | ".join(f"less {name}, 95 % interval" for name in ours)
        + " |",
        "|---|--:|---|--:|" + "--:|" * len(ours),
    ]
    for name, runs in {**ours, **theirs}.items():
        apart = [percent(runs) - percent(one) for one in ours.values()]
        cells = [f"{shown(more, '+')}, {interval(more)}" if more.any() else "" for more in apart]
        lines.append(
            f"| {name} | {reached(runs)} % | {each(runs[0])} | {shown(percent(runs))} "
            f"| {' | '.join(cells)} |"
        )
    return [*lines, ""]


def tried(pquant: Pquant, plan: Plan, chosen: Sequence[Job]) -> list[str]:
    """Give the table of all settings, on the validation part of seeds apart."""
    lines = ["| method, epochs: settings | sparsity | validation accuracy | |", "|---|--:|--:|---|"]
    for one in (*plan.candidates, *plan.tried):
        seeds = TUNING_SEEDS if one in plan.candidates else TUNING_SEEDS[:1]
        runs = pquant.get(one, seeds)
        failed = "error" in runs[0]
        value = "" if failed else f"{percent(runs, 'validation').mean():.2f}"
        mark = "chosen" if one in chosen else ""
        unit = "" if failed else " %"
        lines.append(f"| {named(one)} | {reached(runs)}{unit} | {value} | {mark} |")
    return [*lines, ""]


def step_time(given: argparse.Namespace, chosen: dict[str, Job], plan: dict[str, int]) -> list[str]:
    """Time the steps on both sides and give the table."""
    arguments = {
        f'kerasopt, `scope="{scope}"`, every {every} steps': {
            "method": OURS,
            "pruning": {"frequency": every, "scope": scope},
        }
        for scope, every in ((SAME, plan["frequency"]), (BEST, plan["frequency"]), (SAME, 1))
    }
    lines = [
        "| whose process | variant | ratio to plain, median | 95 % interval | ms a step, median |",
        "|---|---|--:|--:|--:|",
    ]
    before = os.getloadavg()[0]
    sides = {OURS: (sys.executable, arguments), "PQuantML": (given.pquant, chosen)}
    for whose, (python, jobs) in sides.items():
        taken = ask(python, "times", settings=jobs, rounds=given.rounds, steps=given.steps)
        for name, values in taken.items():
            ratio = np.array(values) / np.array(taken[PLAIN])
            low, high = bootstrapped(ratio)
            lines.append(
                f"| {whose} | {name} | {np.median(ratio):.3f} | {low:.3f} to {high:.3f} "
                f"| {np.median(values):.2f} |"
            )
    load = f"{before:.1f} before and {os.getloadavg()[0]:.1f} after"
    return [*lines, "", f"Load of the machine ({os.cpu_count()} cores): {load}.", ""]


def saved(pquant: Pquant, runs: Runs, chosen: dict[str, Job], scratch: Path) -> list[str]:
    """Load what both sides save, each where the package is not; give the table."""
    weights, path = runs.weights(Wanted(SAME, SPARSITY, SIZED_SEED)), str(runs.arrays(SIZED_SEED))
    mine = str(scratch / "ours.keras")
    ask(sys.executable, "save_ours", weights=str(weights), path=path, saved=mine)
    found = {
        ("kerasopt", "without kerasopt"): ask(
            pquant.python, "load_alone", saved=mine, path=path, package="kerasopt"
        )
    }
    for name, one in chosen.items():
        theirs = str(pquant.path(one, SIZED_SEED).with_suffix(".keras"))
        for python, use in ((sys.executable, False), (pquant.python, True)):
            asked = {"saved": theirs, "path": path, "package": "pquant", "use": use}
            where = "with pquant imported" if use else "without pquant"
            found[name, where] = ask(python, "load_alone", **asked)
    lines = ["| saved by | loaded in a process | |", "|---|---|---|"]
    for (name, where), answer in found.items():
        error = answer.get("error", "").split(". ")[0].replace("|", "/").replace("\n", " ")
        result = (
            f"fails: `{error[:120]}`" if error else f"loads, {100 * answer['test']:.2f} % right"
        )
        lines.append(f"| {name} | {where} | {result} |")
    return [*lines, ""]


TEXT = """\
# Pruning beside PQuantML

{head}

## Accuracy and sparsity

Fashion-MNIST and the CNN of `pruning.md`: 10,000 samples to train on, 6 epochs of {each} steps, \
batch 128, Adam (0.002), all four kernels to 80 %. For each of {seeds} seeds all variants start \
from the same weights and see the same batches in the same order. Ours: \
`Pruning(PolynomialDecay(0.0, 0.8, 0, {end}), frequency={frequency})`, the runs of `pruning.md`. \
PQuantML: `add_compression_layers`, `train_model`, `apply_final_compression`, quantization off. \
Test accuracy in percent, mean ± standard error; differences seed by seed.

{accuracy}
What differs, beside the way of choosing weights:

- PQuantML's PDP and Wanda give every layer the same sparsity here (Wanda every filter of a \
convolution), so `scope="{same}"` is what they compare with; DST learns a threshold a weight, so \
layers differ, and `scope="{best}"` is what it compares with. PDP and Wanda are also meant to \
take a sparsity a layer from a global threshold, but under TensorFlow it does not come into \
effect: PDP stores it under a name that it does not read, and Wanda fails with it (below).
- PDP's sparsity rises by epochs, linearly, and its masks are soft until the end; ours rises by \
steps, along a cubic, and its masks are hard. DST's thresholds start at zero and are learned.
- Theirs were chosen by validation among the settings below; ours are those of `pruning.md`, \
whose scope alone was chosen that way. PDP did best where its masks close latest (1 epoch before \
the end, or at the end), ours close at three quarters: part of the difference may be that.
- DST cannot be asked for 80 %; with what was chosen it ends above it, so it has fewer weights \
left than ours has.
- The model has no softmax (its loss takes logits) and only ReLU, as PQuantML drops softmax and \
GELU. It is given as a functional model: of a `Sequential`, PQuantML leaves the first layer as it \
is, unpruned.
- There is no strip. Accuracy is that of a plain model into which their kernels and biases were \
put by hand; its logits differ from those of theirs by at most {off:g}.

## What was tried of PQuantML

Epochs without pruning, with pruning, of fine-tuning. The first {candidates} come near 80 %; they \
were tried with 2 seeds that do not see the test part, and of each method the best by mean \
validation accuracy was chosen. The rest was tried with 1 of these seeds. `dst`, `cs` and \
`autosparse` cannot be asked for a sparsity: it follows from penalties and thresholds, so the \
`alpha` of DST was searched by hand until it came near 80 %; its sparsity differs from seed to \
seed. CS came near it with less accuracy than DST and was not searched further.

{tried}
PDP's default `epsilon` 0.015 adds 1.5 % of the sparsity asked for an epoch, so it takes 67 epochs \
to get there. Wanda's `t_start_collecting_batch`, 100 by default, counts epochs, so in shorter \
trainings it never prunes. Its `calculate_pruning_budget`, on by default, makes a tensor of the \
sparsity, which fails inside `fit` if it is set before the first step; if epochs without pruning \
go before, the step is traced already and the budget is not used.

## Saved file

The `.keras` file of seed 0, loaded by `keras.saving.load_model`; *right* on the test part.

{saved}
## Step time

The same CNN, batch 128. {rounds} rounds; in each of them every variant runs one `fit` of {steps} \
steps, in an order drawn anew; the first step, which compiles, is left out. Ratios are taken \
within the round, to plain `fit` of the same model in the same process; the second plain model \
shows what chance alone makes of the ratio. PDP and DST choose their masks at every step, ours \
every {frequency} steps (or as said); Wanda chooses once, in the round that warms up, and after \
that its step still collects inputs. What is done at the end of an epoch is left out.

{times}
"""
