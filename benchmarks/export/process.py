"""Asks `child.py`, and starts it again when it died."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Self

from benchmarks.common.environment import ROOT


class CrashError(Exception):
    """The process ended in the midst of an answer."""


class Process:
    """The process that converts."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """Its number, once it was asked."""
        assert self._process is not None
        return self._process.pid

    def ask(self, limit: float = 300.0, **question: Any) -> Iterator[dict[str, Any]]:
        """Give the answers to a question.

        Raises:
            CrashError: If the process ended, or took longer than `limit` seconds.
        """
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.export.child"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, end)
        timer.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                found = json.loads(line)
                if "done" in found:
                    return
                yield found
        finally:
            timer.cancel()
        code = process.wait()
        why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise CrashError("took too long" if late.is_set() else why)

    def one(self, **question: Any) -> dict[str, Any]:
        """Give the last answer."""
        return list(self.ask(limit=1200.0, **question))[-1]
