"""Asks `export_child.py`, starts it again when it died, and looks at its memory."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

_CHILD = Path(__file__).with_name("export_child.py")


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
                [sys.executable, str(_CHILD)],
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


class Peak:
    """The most memory that a process and those under it had, in bytes, looked at all the time.

    Attributes:
        once: What each has of its own, and the mapped files of the one that has most of them:
            processes share those, TensorFlow's library above all.
        resident: RSS added up, in which shared pages count once for each process.
    """

    def __init__(self, pid: int):
        self._pid = pid
        self._end = threading.Event()
        self.once = self.resident = 0
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.01):
            found = [_memory(pid) for pid in _family(self._pid)]
            own, files = (sum(one[0] for one in found), [one[1] for one in found])
            self.once = max(self.once, own + max(files))
            self.resident = max(self.resident, own + sum(files))


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += _family(int(child))
    return found


def _memory(pid: int) -> tuple[int, int]:
    """Give the bytes of its own, and of mapped files."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    if not sizes:  # it has just ended
        return 0, 0
    return int(sizes["RssAnon"]) * 1024, (int(sizes["RssFile"]) + int(sizes["RssShmem"])) * 1024
