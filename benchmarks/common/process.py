"""A process of its own for every measured thing: asks it, and is it.

The process is `python -m benchmarks.common.process module:function`. The arguments are a JSON
object on its input; the answer is the last line of its output.
"""

import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.common.environment import ROOT
from kerasopt._core.files import write_text

THREADS = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


class ChildError(RuntimeError):
    """A process ended without an answer."""


def environment(threads: int | None) -> dict[str, str]:
    """Give the environment of a process with so many threads."""
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    for name in THREADS:
        env.pop(name, None)
        if threads is not None:
            env[name] = str(threads)
    return env


def ask(
    function: str, arguments: dict[str, Any], threads: int | None = 1, limit: float = 3600.0
) -> Any:
    """Call a function in a new process.

    Args:
        function: `"module:name"`.
        arguments: JSON data.
        threads: Of TensorFlow and of BLAS; `None` leaves it to them.
        limit: Seconds.

    Raises:
        ChildError: If it fails, with the end of what it wrote.
    """
    kept = _kept(function, arguments)
    if kept is not None and kept.exists():
        return json.loads(kept.read_text())
    with tempfile.TemporaryDirectory() as folder:
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.common.process", function],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            timeout=limit,
            env=environment(threads),
            cwd=folder,
        )
    if finished.returncode:
        raise ChildError(f"{function}({arguments}): {finished.stderr[-3000:]}")
    answer = finished.stdout.splitlines()[-1]
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, answer)
    return json.loads(answer)


def _kept(function: str, arguments: dict[str, Any]) -> Path | None:
    """Give where an answer is kept, so that the long part can be gone on with; times never are."""
    folder = os.environ.get("KEEP_ANSWERS")
    if folder is None or not function.startswith("benchmarks.search.task"):
        return None
    name = hashlib.sha256(json.dumps([function, arguments], sort_keys=True).encode()).hexdigest()
    return Path(folder) / f"{name[:24]}.json"


def ask_all(function: str, many: Sequence[dict[str, Any]], at_once: int = 2) -> list[Any]:
    """Call a function several times, `at_once` of them side by side; the answers in order."""
    done = 0

    def one(arguments: dict[str, Any]) -> Any:
        nonlocal done
        answer = ask(function, arguments)
        done += 1
        progress(f"{function} {done} of {len(many)}: {_short(arguments)}")
        return answer

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, many))


def progress(line: str) -> None:
    """Say on stderr how far it is."""
    print(line, file=sys.stderr, flush=True)


def _short(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in arguments.items())


def main() -> None:
    """Call the function, and keep from the output what others print."""
    module, name = sys.argv[1].split(":")
    arguments = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = getattr(importlib.import_module(module), name)(**arguments)
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
