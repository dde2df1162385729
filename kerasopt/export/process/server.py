"""The process in which files are made and tried, so that a crash there ends nothing else.

Run by `client.py`: a question in JSON a line on standard input, an answer a line on the output.
Arrays and files lie in the folder that the question names.
"""

import json
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasopt._core import files as _store
from kerasopt.export.process.tasks import Answer, convert, partly, weights

IDLE_SECONDS = 120.0
"""After so long without a question it ends by itself, as it holds TensorFlow in memory."""


def run(folder: Path, reference: bool = False) -> Answer:
    """Run the file on `samples.npz`."""
    from kerasopt.export.runtime.interpreter import Runner

    runner = Runner((folder / "model.tflite").read_bytes(), reference=reference)
    runner(_store.load(folder / "samples.npz"))
    return {}


def load(folder: Path) -> Answer:
    """Load the file, and tell its inputs, outputs, parts, metadata and signature."""
    from dataclasses import asdict

    from kerasopt.export.file.flatbuffer import structure
    from kerasopt.export.file.metadata import metadata_of
    from kerasopt.export.runtime.interpreter import call_of, ports

    file = (folder / "model.tflite").read_bytes()
    inputs, outputs = ports(file)
    call = call_of(file)
    return {
        "inputs": [asdict(port) for port in inputs],
        "outputs": [asdict(port) for port in outputs],
        "graphs": [asdict(graph) for graph in structure(file)],
        "metadata": metadata_of(file),
        "call": None if call is None else asdict(call),
    }


def time(folder: Path, threads: int, seconds: float, runs: int, files: list[str]) -> Answer:
    """Time files in turn on random inputs."""
    from dataclasses import asdict

    from kerasopt.export.runtime.interpreter import time_any

    return asdict(time_any([(folder / one).read_bytes() for one in files], threads, seconds, runs))


TASKS: dict[str, Callable[..., Answer]] = {
    "convert": convert,
    "partly": partly,
    "load": load,
    "run": run,
    "time": time,
    "weights": weights,
}


def answer(question: dict[str, Any]) -> Answer:
    """Do what is asked; an exception is an answer too."""
    task = TASKS[question.pop("task")]
    try:
        return {"answer": task(Path(question.pop("folder")), **question)}
    except Exception as error:
        return {"error": str(error), "type": type(error).__name__}


def main() -> None:
    """Answer until the input ends, or nothing has come for a while."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the converter prints to standard output
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        out.write(json.dumps(answer(json.loads(line))) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
