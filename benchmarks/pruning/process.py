"""The process in which tfmot runs, as the parent sees it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

SCRIPT = Path(__file__).with_name("tfmot.py")


class Tfmot:
    """Starts tfmot's process and asks it; one question at a time."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def ask(self, what: str, **arguments: Any) -> Any:
        """Ask and wait for the answer.

        Raises:
            RuntimeError: If the process has ended, with the last of what it wrote.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(f"{json.dumps({'what': what, **arguments})}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"tfmot's process ended at {what!r}: {self._log.read()[-3_000:]}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()
