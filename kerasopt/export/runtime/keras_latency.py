"""The latency of a Keras model, measured as a TFLite file's is: one process, so many threads."""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core.checks import at_least, bad_type, bad_value
from kerasopt.export.runtime.interpreter import time_beside
from kerasopt.export.runtime.latency import Latency, Timed, time_calls

_RUNS = 1000


def keras_latency(path: str | os.PathLike[str], threads: int = 1, seconds: float = 1.0) -> Latency:
    """Time a saved Keras model on one sample, in a process of its own.

    TensorFlow's number of threads can be set once a process, so a fair comparison with a TFLite
    file needs another one. The model runs as a compiled `tf.function`. This is a run of its own: to
    tell which of a model and a file is faster, `kerasopt compare` times both in turn.

    Args:
        path: A `.keras` file. It is loaded in safe mode.
        threads: Threads within an operation and between operations. Defaults to `1`.
        seconds: Longest time for the timed runs. Defaults to `1.0`.

    Returns:
        A `Latency`: median and 95th percentile in milliseconds.

    Raises:
        TypeError, ValueError: If an argument is wrong.
        RuntimeError: If the model does not load or run there.
    """
    at_least("threads", threads, 1)
    if not isinstance(path, (str, os.PathLike)):
        raise bad_type("path", "a path of a `.keras` file", path)
    if not Path(path).is_file():
        raise bad_value("path", "a path of a `.keras` file", str(path), "There is no such file.")
    if not zipfile.is_zipfile(path):
        raise bad_value("path", "a path of a `.keras` file", str(path), "It is something else.")
    return Latency(**_asked(path, (), threads, seconds))


def latency_in_turn(
    path: str | os.PathLike[str],
    files: Sequence[str | os.PathLike[str]],
    threads: int = 1,
    seconds: float = 1.0,
) -> Timed:
    """Time a saved Keras model and files of it in turn, on one sample, in a process of its own.

    Args:
        path: Of a `.keras` or `.h5` file, or a SavedModel's folder.
        files: Paths of `.tflite` files with the names of its inputs.
        threads: As in `keras_latency`, and of the files' interpreters. Defaults to `1`.
        seconds: Longest time for the timed runs of each. Defaults to `1.0`.

    Returns:
        A `Timed`: the model's first.

    Raises:
        RuntimeError: If one does not load or run there.
    """
    found = _asked(path, files, threads, seconds)
    latencies = tuple(Latency(**one) for one in found["latencies"])
    return Timed(latencies, tuple(tuple(one) for one in found["rounds"]))


def _asked(
    path: str | os.PathLike[str],
    files: Sequence[str | os.PathLike[str]],
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    # The package imports this module before it runs as a program, which Python remarks upon.
    command = [sys.executable, "-W", "ignore::RuntimeWarning:runpy"]
    command += ["-m", "kerasopt.export.runtime.keras_latency", str(path), *map(str, files)]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.strip().splitlines()
    if result.returncode or not lines:
        last = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.returncode}"]
        raise RuntimeError(f"The Keras model could not be timed: {last[0]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def time_model(model: Any, threads: int = 1, seconds: float = 1.0, runs: int = _RUNS) -> Latency:
    """Time one sample through a model as a compiled `tf.function`, in this process.

    Args:
        model: A built Keras model.
        threads: What TensorFlow was set to; passed on to the result.
        seconds: Longest time for the timed runs. Defaults to `1.0`.
        runs: Most timed runs. Defaults to `1000`.
    """
    call, batch = _ready(model)
    return time_calls(call, seconds, runs, threads, len(next(iter(batch.values()))))


def _ready(model: Any) -> tuple[Callable[[], object], dict[str, np.ndarray]]:
    """Give what computes a batch of random samples by a model, and the batch."""
    import tensorflow as tf

    from kerasopt.export.data.samples import random_samples
    from kerasopt.export.model.signature import signature_of

    signature = signature_of(model)
    batch = next(random_samples(signature.inputs).in_batches(signature.batch or 1, exact=True))
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    function = tf.function(
        lambda values: signature.call(model, values), autograph=False
    ).get_concrete_function(tensors)

    def call() -> list[np.ndarray]:
        return [output.numpy() for output in function(tensors).values()]

    return call, batch


def main(arguments: list[str] | None = None) -> None:
    """Time the model of a file and write the figures to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="kerasopt.export.runtime.keras_latency")
    parser.add_argument("path")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args(arguments)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    from kerasopt.export.model.saved_model import load

    model = load(options.path)
    if options.files:
        call, batch = _ready(model)
        files = [Path(one).read_bytes() for one in options.files]
        timed = time_beside(call, files, batch, options.threads, options.seconds, _RUNS)
        found: dict[str, Any] = asdict(timed)
    else:
        found = time_model(model, options.threads, options.seconds).to_dict()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
