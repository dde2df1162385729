"""The process in which `benchmarks.export` converts, as some conversions end it.

A question in JSON a line on standard input; answers, several of them for some questions, a line
each on the output, the last one with `"done"`.
"""

import itertools
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from benchmarks.export.paths import (
    OURS,
    PATHS,
    PLAIN,
    arrays_of,
    convert,
    litert,
    plain,
    whole,
    with_batch,
)
from kerasopt.export import ExportError, export_all
from kerasopt.export.model.float32 import in_float32
from kerasopt.export.validation.agreement import Agreement, compare, shortfall
from tests.export.applications import APPLICATIONS, build, images
from tests.export.kinds import KINDS

Answers = Iterator[dict[str, Any]]


def subject(name: str) -> tuple[Any, Any]:
    """Give a model and data by name: of a network or of a kind."""
    if name in APPLICATIONS:
        return build(name), images(name, 100)
    keras.utils.set_random_seed(0)
    return KINDS[name].build(), KINDS[name].data(np.random.default_rng(0))


def cell(name: str, mode: str, path: str) -> Answers:
    """Convert one kind in one mode, and judge the file."""
    model, data = subject(name)
    batch_size = KINDS[name].batch_size
    try:
        if path == OURS:
            file = whole(model, mode, data, batch_size)
        else:
            peer = plain if path == PLAIN else litert
            file = peer(with_batch(model, batch_size), mode, arrays_of(model, data))
    except Exception as error:
        if path == OURS and not isinstance(error, (ExportError, ValueError)):
            raise
        yield {"outcome": "refused", "why": f"{type(error).__name__}: {error}"[:2000]}
        return
    yield {"outcome": "wrong", "why": "ends the process that runs it"}  # unless more comes
    try:
        right = keras_outputs(in_float32(model), data)
        yield {"outcome": "right", "db": judge(file, mode, arrays_of(model, data), right)}
    except WrongError as error:
        yield {"outcome": "wrong", "why": str(error)}


def times(name: str, mode: str, repeats: int) -> Answers:
    """Time the conversion by each path, in an order drawn anew in every round."""
    model, data = subject(name)
    taken: dict[str, list[float]] = {path: [] for path in PATHS}
    rng = np.random.default_rng(0)
    for number in range(repeats + 1):
        for path in rng.permutation(PATHS):
            begun = time.perf_counter()
            convert(path, model, mode, data)
            if number:  # the first round warms up, and starts our child
                taken[path].append(time.perf_counter() - begun)
    yield {"times": taken}


def memory(name: str, mode: str, path: str) -> Answers:
    """Convert once; whoever asks looks at the memory meanwhile."""
    model, data = subject(name)
    yield {"ready": True}
    if path == "to_tflite":
        whole(model, mode, data)
    elif path in PATHS:
        convert(path, model, mode, data)
    else:
        time.sleep(0.3)


def network(name: str, modes: list[str]) -> Answers:
    """Export a network in several modes."""
    begun = time.perf_counter()
    model, data = subject(name)
    built = time.perf_counter() - begun
    found = export_all(model, modes, calibration=data)
    yield {
        "weights": model.count_params(),
        "built": built,
        "seconds": time.perf_counter() - begun,
        "refused": dict(found.refused),
        "files": {
            mode: {
                "bytes": len(file.bytes),
                "db": file.report.sqnr_db,
                "argmax": file.report.agreement["classes"].argmax,
                "ms": file.report.cost.latency.median_ms,
                "float_ms": file.report.float_latency and file.report.float_latency.median_ms,
                "float_ops": file.report.float_ops,
                "seconds": file.report.seconds,
            }
            for mode, file in found.files.items()
        },
    }


TASKS = {"cell": cell, "times": times, "memory": memory, "network": network}


_BATCH = 20


def keras_outputs(model: Any, data: Any) -> list[np.ndarray]:
    """Run the Keras model on all samples."""
    values = tf.constant(data) if getattr(getattr(data, "dtype", None), "kind", "") == "O" else data
    return [np.asarray(one) for one in keras.tree.flatten(model(values, training=False))]


class WrongError(Exception):
    """A file that does not run, or gives other numbers."""


def judge(file: bytes, mode: str, arrays: list[np.ndarray], right: list[np.ndarray]) -> float:
    """Give the lowest ratio of all outputs in dB, whatever the order of inputs and outputs.

    The order that fits best counts, as the peers do not keep names; a file whose inputs were
    swapped in calibration still has the wrong ranges.

    Raises:
        WrongError: If it does not run, or an output is below the floor of its mode.
    """
    best: tuple[float, str] | None = None
    try:
        runner = Interpreter(model_content=file).get_signature_runner()
        names = list(runner.get_input_details())
        for order in itertools.permutations(range(len(arrays))):
            given = dict(zip(names, (arrays[one] for one in order), strict=True))
            came = _run(runner, given)
            for chosen in itertools.permutations(came):
                found = _worst(mode, right, list(chosen))
                if found is not None and (best is None or found[0] > best[0]):
                    best = found
    except (RuntimeError, ValueError) as error:
        raise WrongError(f"does not run: {' '.join(str(error).split())[:160]}") from error
    if best is None:
        raise WrongError("outputs of other shapes")
    if best[1]:
        raise WrongError(best[1])
    return best[0]


def _worst(mode: str, right: list[np.ndarray], came: list[np.ndarray]) -> tuple[float, str] | None:
    if [one.shape for one in right] != [one.shape for one in came]:
        return None
    found: list[Agreement] = [compare(*pair) for pair in zip(right, came, strict=True)]
    worst = min(found, key=lambda one: one.sqnr_db)
    return worst.sqnr_db, shortfall(mode, worst)


def _run(runner: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    details = runner.get_input_details()
    fixed = any(one["shape_signature"][0] > 0 for one in details.values())
    size = 1 if fixed else _BATCH
    parts = [
        runner(
            **{
                name: array[begin : begin + size].astype(details[name]["dtype"])
                for name, array in given.items()
            }
        )
        for begin in range(0, len(next(iter(given.values()))), size)
    ]
    return [np.concatenate([part[name] for part in parts]) for name in parts[0]]


def main() -> None:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # converters print
    for line in sys.stdin:
        question = json.loads(line)
        for found in TASKS[question.pop("task")](**question):
            out.write(json.dumps(found) + "\n")
            out.flush()
        out.write(json.dumps({"done": True}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
