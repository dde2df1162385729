"""Bytes of the TFLite files of `pruning.py`, ours and tfmot's, and zipped."""

import zlib
from typing import Any

import keras
import numpy as np
from pruning_child import Tfmot
from pruning_models import classifier
from pruning_quality import SAME, SIZED, SIZED_SEED, TFMOT, Runs, Wanted
from pruning_training import kernels, load, weights_of

from kerasopt.export import to_tflite

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
