"""The latency of a Keras model, measured as a TFLite file's is: one process, so many threads."""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._checks import at_least, bad_type, bad_value
from kerasopt.export.latency import Latency, time_calls


def keras_latency(path: str | os.PathLike[str], threads: int = 1, seconds: float = 1.0) -> Latency:
    """Time a saved Keras model on one sample, in a process of its own.

    TensorFlow's number of threads can be set once a process, so a fair comparison with a TFLite
    file needs another one. The model runs as a compiled `tf.function`.

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
    # The package imports this module before it runs as a program, which Python remarks upon.
    command = [sys.executable, "-W", "ignore::RuntimeWarning:runpy"]
    command += ["-m", "kerasopt.export.keras_timing", str(path)]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.strip().splitlines()
    if result.returncode or not lines:
        last = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.returncode}"]
        raise RuntimeError(f"The Keras model could not be timed: {last[0]}")
    return Latency(**json.loads(lines[-1]))


def time_model(model: Any, threads: int = 1, seconds: float = 1.0, runs: int = 1000) -> Latency:
    """Time one sample through a model as a compiled `tf.function`, in this process.

    Args:
        model: A built Keras model.
        threads: What TensorFlow was set to; passed on to the result.
        seconds: Longest time for the timed runs. Defaults to `1.0`.
        runs: Most timed runs. Defaults to `1000`.
    """
    import tensorflow as tf

    from kerasopt.export.samples import random_samples
    from kerasopt.export.signature import signature_of

    signature = signature_of(model)
    batch = next(random_samples(signature.inputs).in_batches(signature.batch or 1, exact=True))
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    function = tf.function(
        lambda values: signature.call(model, values), autograph=False
    ).get_concrete_function(tensors)

    def call() -> list[np.ndarray]:
        return [output.numpy() for output in function(tensors).values()]

    return time_calls(call, seconds, runs, threads, signature.batch or 1)


def main(arguments: list[str] | None = None) -> None:
    """Time the model of a file and write the figures to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="kerasopt.export.keras_timing")
    parser.add_argument("path")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args(arguments)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    import keras

    model = keras.saving.load_model(options.path, compile=False, safe_mode=True)
    latency = time_model(model, options.threads, options.seconds)
    sys.stdout.write(json.dumps(latency.to_dict()) + "\n")


if __name__ == "__main__":
    main()
