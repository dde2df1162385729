"""Tables of cost of `benchmarks.pruning`."""

import os
import zlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from benchmarks.common.tables import bootstrapped
from benchmarks.pruning.cost import (
    AGAIN,
    EVERY,
    HUNDRED,
    OURS,
    PLAIN,
    THEIRS,
    UPDATES,
    Peak,
    compare,
    peak,
    update_ms,
)
from benchmarks.pruning.models import MODELS, classifier
from benchmarks.pruning.process import Tfmot
from benchmarks.pruning.quality import SAME, SIZED, SIZED_SEED, TFMOT, Runs, Wanted
from benchmarks.pruning.training import kernels, load, weights_of
from kerasopt.export import to_tflite

MLP, CNN = MODELS
GOALS = {(MLP, HUNDRED): (1.03, 1.06), (CNN, HUNDRED): (1.03, 1.06)}
GOALS |= {(MLP, EVERY): (2.0, None), (CNN, EVERY): (1.10, None)}
MLP_KERNELS = [(512, 512), (512, 1024), (1024, 512), (512, 10)]


def _goal(value: float, goal: float | None, within: tuple[float, float] = (0.0, 0.0)) -> str:
    if goal is None:
        return ""
    unsure = " (within the noise)" if within[0] <= goal < within[1] else ""
    return f"{goal:g}: {'met' if value <= goal else 'MISSED'}{unsure}"


def steps_section(rounds: int, steps: int, few: int, tfmot: Tfmot) -> list[str]:
    """Time the steps and give the section of the report."""
    before = os.getloadavg()[0]
    lines = [
        "## Step time",
        "",
        f"The models of `benchmarks.callbacks`, batch 128. {rounds} rounds; in each of them "
        f"every variant runs one `fit` of {steps} steps (with masks at every step: {few}), in an "
        "order drawn anew, ours in this process and tfmot's in its own, one at a time. The first "
        "step, which "
        "compiles, is left out. Ratios are taken within the round, ours to plain Keras 3, tfmot's "
        "to plain tf_keras; to 80 % along a `PolynomialDecay`. The second plain model shows what "
        "chance alone makes of the ratio.",
        "",
        "| model | whose | variant | ratio, median | 95 % interval of the median | mean | "
        "ms a step, median | goal, median | goal, mean |",
        "|---|---|---|--:|--:|--:|--:|---|---|",
    ]
    for name in MODELS:
        taken = compare(name, rounds, steps, few, tfmot)
        for (who, variant), values in taken.items():
            ratio = values / taken[who, PLAIN]
            middle, mean = float(np.median(ratio)), float(ratio.mean())
            low, high = bootstrapped(ratio)
            goals = GOALS.get((name, variant), (None, None)) if who == OURS else (None, None)
            lines.append(
                f"| {name} | {who} | {variant} | {middle:.3f} | {low:.3f} to {high:.3f} "
                f"| {mean:.3f} | {np.median(values):.2f} | {_goal(middle, goals[0], (low, high))} "
                f"| {_goal(mean, goals[1])} |"
            )
    lines += [
        "",
        f"{PLAIN.capitalize()} and {AGAIN.split(', ')[1]} are the same model. The load of the "
        f"machine ({os.cpu_count()} cores) was {before:.1f} before and {os.getloadavg()[0]:.1f} "
        "after.",
        "",
    ]
    return lines


def updates_section(sides: Sequence[tuple[int, int, int, float]], tfmot: Tfmot) -> list[str]:
    """Time updates of masks and give the section of the report.

    Args:
        sides: Side of a square kernel, repeats of ours and of tfmot's, the goal in milliseconds.
        tfmot: The other process.
    """
    lines = [
        "## One update of the masks",
        "",
        "Choosing the mask of one kernel, writing it and zeroing the weights, outside `fit`; ours "
        "and tfmot's by turns, "
        + "; ".join(
            f"{repeats} and {few} times for {side * side:,} weights"
            for side, repeats, few, _ in sides
        )
        + ". Right before each the weights are written, as training does.",
        "",
        "| weights | state | kerasopt, ms, median | middle half | least | goal | "
        "tfmot, ms, median |",
        "|--:|---|--:|--:|--:|---|--:|",
    ]
    for side, repeats, few, goal in sides:
        taken = update_ms(side, repeats, few, tfmot)
        for title, _, _ in UPDATES:
            ours = taken[OURS, title]
            low, middle, high = np.percentile(ours, [25, 50, 75])
            lines.append(
                f"| {side * side:,} | {title} | {middle:.2f} | {low:.2f} to {high:.2f} "
                f"| {ours.min():.2f} | {_goal(middle, goal)} "
                f"| {np.median(taken[THEIRS, title]):.1f} |"
            )
    return [*lines, ""]


def memory_section(side: int) -> list[str]:
    """Measure the memory of updates and give the section of the report."""
    lines = [
        "## Memory of an update",
        "",
        "The most that one update needs beside what is there, in float32 copies of the largest "
        "kernel: of NumPy's arrays, as `tracemalloc` counts them; and by how much the process "
        "grows at its peak, with TensorFlow's buffers (where the system tells; a lower bound, as "
        "memory that is held already does not count, and left out for small kernels, which hide in "
        "it). For the global scope one float32 a weight is taken off first, which the goal allows. "
        "Goal: 3.",
        "",
        "| kernels | weights | scope | state | NumPy, copies | goal | process, copies | goal |",
        "|---|--:|---|---|--:|---|--:|---|",
    ]
    for title, shapes in (
        (f"one of {side:,} x {side:,}", [(side, side)]),
        (f"two of {side:,} x {side // 2:,}", [(side, side // 2)] * 2),
        (f"twenty of {side // 4:,} x {side // 5:,}", [(side // 4, side // 5)] * 20),
        ("those of the MLP", MLP_KERNELS),
    ):
        for scope in ("layer", "global"):
            for state, zeros, sparsity in (UPDATES[0], UPDATES[2]):
                found = peak(shapes, scope, zeros, sparsity)
                lines.append(
                    f"| {title} | {found.weights:,} | {scope} | {state} "
                    f"| {_copies(found, scope, found.numpy)} "
                    f"| {_copies(found, scope, found.process)} |"
                )
    return [*lines, ""]


def _copies(found: Peak, scope: str, size: float) -> str:
    if np.isnan(size) or (found.largest < 1 << 22 and size == found.process):
        return " | "
    copies = (size - 4 * found.weights * (scope == "global")) / (4 * found.largest)
    return f"{max(copies, 0.0):.2f} | {_goal(copies, 3.0)}"


MODES = ("float32", "int8")
Sizes = dict[str, tuple[int, int]]


def ours(weights: list[Any], x: Any) -> Sizes:
    """Convert with kerasopt; bytes and zipped bytes by mode."""
    model = classifier(keras, x.shape[1:])
    model.set_weights(weights)
    found = {}
    for mode in MODES:
        content = to_tflite(model, mode=mode, calibration=x[:256]).bytes
        found[mode] = (len(content), len(zlib.compress(content, 9)))
    return found


def section(runs: Runs, tfmot: Tfmot) -> list[str]:
    """Give the section of the report."""
    arrays = runs.arrays(SIZED_SEED)
    x = load(arrays)["x_train"]
    rows: list[tuple[str, Wanted, Sizes]] = []
    for title, wanted in (
        ("dense, kerasopt", Wanted(SAME, 0.0, SIZED_SEED)),
        ("80 %, kerasopt", Wanted(SAME, SIZED, SIZED_SEED)),
        ("80 %, tfmot, `strip_pruning`, `tf.lite`", Wanted(TFMOT, SIZED, SIZED_SEED)),
    ):
        path = str(runs.weights(wanted))
        if wanted.kind == TFMOT:
            sizes = tfmot.ask("tflite", path=str(arrays), weights=path)
        else:
            sizes = ours(weights_of(load(path)), x)
        rows.append((title, wanted, sizes))
    trained = Wanted(TFMOT, SIZED, SIZED_SEED)
    weights = weights_of(load(str(runs.weights(trained))))
    rows.append(("80 %, tfmot's weights in Keras 3, kerasopt", trained, ours(weights, x)))
    lines = [
        "## Size of the TFLite files",
        "",
        f"The models of seed {SIZED_SEED} above; int8 calibrated with the same 256 samples; zipped "
        "by zlib at level 9. *Minus zeros* are pruned weights that are -0.0, which a compressor "
        "tells from 0.0: tfmot multiplies by the mask. The last row tells what comes of the "
        "weights from what comes of the converter.",
        "",
        "| model | weights of kernels | not zero | minus zeros | float32, bytes | zipped | "
        "int8, bytes | zipped |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for title, wanted, sizes in rows:
        found = kernels(weights_of(load(str(runs.weights(wanted)))))
        minus = sum(int((np.signbit(one) & (one == 0)).sum()) for one in found)
        lines.append(
            f"| {title} | {sum(one.size for one in found):,} "
            f"| {sum(int(np.count_nonzero(one)) for one in found):,} | {minus:,} | "
            + " | ".join(f"{size:,}" for mode in MODES for size in sizes[mode])
            + " |"
        )
    return [*lines, ""]
