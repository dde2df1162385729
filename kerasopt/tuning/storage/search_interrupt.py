"""Ctrl-C in a search: no trial and no lock of a file is left behind by it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

_PATIENCE = 3  # a storage that does not answer must not keep anyone for ever


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until what is done here is done whole; the third one breaks it off.

    Only in the main thread, which is the one that is interrupted, and only for handlers in Python.

    Example:
    >>> with uninterrupted():
    ...     steps = ["a trial begins"]
    ...     steps.append("it is written down who runs it")
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    times = 0

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if times == _PATIENCE:
            before(number, frame)

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if 0 < times < _PATIENCE:
            before(signal.SIGINT, None)


@contextmanager
def deaf() -> Iterator[None]:
    """Let a process that is started here not hear of Ctrl-C until it can end in good order.

    Nothing is lost: it hears of it when it calls `Once.listen`, and this process at the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # It would be started with the first process, and unblock the signal in between.
    resource_tracker.ensure_running()
    with uninterrupted():
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Once:
    """Takes the first Ctrl-C in a worker: the terminal sends one, and the parent more.

    Attributes:
        came: Whether it came. Code of the user or of TensorFlow may have swallowed the exception.
    """

    def __init__(self) -> None:
        self.came = False

    def listen(self) -> None:
        """Take it from now on, and at once if it came while the process began."""
        signal.signal(signal.SIGINT, self._handle)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self.came:
            self.came = True
            raise KeyboardInterrupt
