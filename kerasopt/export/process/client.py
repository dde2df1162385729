"""A process beside this one that makes and tries files, and may crash."""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import Any

_PACKAGES = Path(__file__).resolve().parents[3]

SERVER = "kerasopt.export.process.server"


class CrashError(RuntimeError):
    """The process ended instead of giving an answer.

    Attributes:
        said: The last lines that it wrote.
    """

    def __init__(self, message: str, said: list[str]):
        super().__init__(message)
        self.said = said


class RefusedError(RuntimeError):
    """The process raised an exception: its text.

    Attributes:
        said: What was written beside it.
    """

    def __init__(self, message: str, said: list[str]):
        super().__init__(message)
        self.said = said


class Worker:
    """Starts the process when it is first needed, again after a crash, and asks it.

    It ends with this process, or when it has not been asked for two minutes.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._said: deque[str] = deque(maxlen=400)
        self._listener: threading.Thread | None = None
        atexit.register(self.close)

    def ask(self, task: str, folder: Path, limit: float | None = None, **arguments: Any) -> Any:
        """Have a task of `server.py` done.

        Args:
            task: Its name.
            folder: Where its files lie.
            limit: Seconds after which the process is ended. Defaults to `None`: never.
            **arguments: Of the task.

        Raises:
            RefusedError: If the task raised an exception.
            CrashError: If the process ended, or took longer than the limit.
        """
        question = json.dumps({"task": task, "folder": str(folder), **arguments})
        with self._lock:
            reply = self._asked(question, limit) or self._asked(question, limit)
            said = list(self._said)
        if reply is None:
            raise CrashError("it ended at once", said)
        if "error" in reply:
            raise RefusedError(reply["error"], said)
        return reply["answer"]

    def _asked(self, question: str, limit: float | None) -> Any:
        """Give the answer, or `None` if the process had just ended because it was idle."""
        process = self._alive()
        self._said.clear()
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, end) if limit is not None else None
        if timer:
            timer.start()
        try:
            line = self._exchange(process, question)
        except BaseException:  # Ctrl-C: an answer that nobody waits for must not be the next one
            self.close()
            raise
        finally:
            if timer:
                timer.cancel()
        if line:
            return json.loads(line)
        error = self._crash(process, late.is_set())
        if process.returncode == 0:
            return None
        raise error

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.wait()

    def _alive(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._owner != os.getpid():
            self._process = None  # it is that of the process that this one was forked from
        if self._process is not None and self._process.poll() is None:
            return self._process
        inherited = os.environ.get("PYTHONPATH")
        paths = [str(_PACKAGES), *([inherited] if inherited else [])]
        self._process = process = subprocess.Popen(
            # The package imports this module first, on which Python remarks.
            [sys.executable, "-W", "ignore::RuntimeWarning:runpy", "-m", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "TF_CPP_MIN_LOG_LEVEL": "2",  # errors, which say why a conversion failed
                "CUDA_VISIBLE_DEVICES": "-1",
            },
            start_new_session=True,  # Ctrl-C at a terminal is for this process alone
        )
        self._owner = os.getpid()
        self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._listener.start()
        return process

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._said.append(line.rstrip())

    def _exchange(self, process: "subprocess.Popen[str]", question: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(question + "\n")
            process.stdin.flush()
            return process.stdout.readline()
        except BrokenPipeError:
            return ""

    def _crash(self, process: "subprocess.Popen[str]", late: bool) -> CrashError:
        code = process.wait()
        if self._listener is not None:
            self._listener.join(1.0)
        self._process = None
        why = f"exit code {code}"
        if code < 0:
            why = signal.Signals(-code).name
        if late:
            why = "it took too long"
        return CrashError(why, list(self._said))


WORKER = Worker()
"""The one of this process."""


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Give a folder for the files of one or several questions."""
    return tempfile.TemporaryDirectory(prefix="kerasopt-")
