"""Hold back what TensorFlow's C++ code prints, and keep it for the moment something fails."""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_lock = threading.RLock()
_held = False


def quiet_tensorflow() -> None:
    """Ask TensorFlow not to log to the terminal; works only before it is first imported.

    A level that the user has set in `TF_CPP_MIN_LOG_LEVEL` is left as it is.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


@contextmanager
def held_back() -> Iterator[list[str]]:
    """Keep everything written to the process's standard error away from the terminal.

    C++ libraries write to the file descriptor, so `contextlib.redirect_stderr` does not catch
    them. One thread at a time; a nested use leaves the work to the outer one. Where the process
    has no such descriptor, nothing is held back.

    Yields:
        A list that holds, once the block has ended, what was written, line by line.
    """
    global _held
    lines: list[str] = []
    with _lock:
        try:
            copy = None if _held else os.dup(_STDERR)
        except OSError:
            copy = None
        if copy is None:
            yield lines
            return
        _held = True
        with tempfile.TemporaryFile() as caught:
            sys.stderr.flush()
            os.dup2(caught.fileno(), _STDERR)
            try:
                yield lines
            finally:
                sys.stderr.flush()
                os.dup2(copy, _STDERR)
                os.close(copy)
                _held = False
                caught.seek(0)
                lines += caught.read().decode(errors="replace").splitlines()


@contextmanager
def without_retracing_advice() -> Iterator[None]:
    """Hold back TensorFlow's advice on `tf.function`: of many models each has to be traced."""

    def other(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
