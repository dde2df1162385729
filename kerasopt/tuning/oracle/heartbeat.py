"""Which process runs a trial, and whether it still lives.

Optuna's heartbeats exist in databases only, and only inside `Study.optimize`. These work with any
storage that processes share, and do not compare the clocks of two machines: a process writes a
number that grows, and who waits for it measures by its own clock for how long it stands still. On
one machine the dead are known at once.
"""

import contextlib
import os
import platform
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _machine() -> str:
    """Name this machine, since it was started, and the container."""
    parts = [platform.node()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            target = Path(path)
            parts.append(os.readlink(path) if target.is_symlink() else target.read_text().strip())
        except OSError:
            parts.append("")
    return "|".join(parts)


# Linux counts a process's start in ticks since the machine was started. psutil gives it as a time
# of day there, which a correction of the clock moves; elsewhere it is the only way.
_TICKS = Path("/proc/self/stat").exists()


def _begun(pid: int) -> str | None:
    """Give when a process of this machine began, as a word; `None` if it has ended."""
    return _ticks(pid) if _TICKS else _time_of_day(pid)


def _ticks(pid: int) -> str | None:
    try:
        # Behind the name, which may hold anything: the state, then 18 numbers, then the start.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def _time_of_day(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        is_dead = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return None if is_dead else str(process.create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:  # it lives, and is another user's
        return ""


def owner() -> dict[str, Any]:
    """Say who this process is, as plain data."""
    pid = os.getpid()
    return {"machine": _machine(), "host": platform.node(), "pid": pid, "begun": _begun(pid)}


def has_ended(one: dict[str, Any]) -> bool:
    """Tell whether an owner is known to have ended; of other machines nothing is known."""
    if one.get("machine") != _machine():
        return False
    begun = _begun(int(one["pid"]))
    return begun is None or bool(begun and one.get("begun") and begun != one["begun"])


class Watch:
    """Tells by this process's clock for how long the signs of life of others have stood still.

    Args:
        grace: Seconds after which one that stands still counts as dead.
        clock: Gives seconds. Defaults to `time.monotonic`.

    Example:
    >>> now = 0.0
    >>> watch = Watch(60.0, clock=lambda: now)
    >>> watch.silent("trial 3", beat=7)
    False
    >>> now = 61.0
    >>> watch.silent("trial 3", beat=7), watch.silent("trial 4", beat=0)
    (True, False)
    """

    def __init__(self, grace: float, clock: Callable[[], float] = time.monotonic):
        self.grace = grace
        self._clock = clock
        self._seen: dict[Any, tuple[Any, float]] = {}

    def forget(self) -> None:
        """Begin to measure anew: for a while nobody could have given a sign."""
        self._seen.clear()

    def silent(self, who: Any, beat: Any) -> bool:
        """Note a sign of life, and tell whether it is the same for too long."""
        now = self._clock()
        before = self._seen.get(who)
        if before is None or before[0] != beat:
            self._seen[who] = (beat, now)
            return False
        return now - before[1] > self.grace


class Heartbeat:
    """Calls a function with a growing number, in a thread of its own, until it is stopped.

    Args:
        beat: What is called; if it gives `False` there are no more; an error that it raises is left
            for the next time.
        seconds: From one call to the next.
    """

    def __init__(self, beat: Callable[[int], bool | None], seconds: float):
        self._beat = beat
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="kerasopt-heartbeat")
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(self._seconds):
            number += 1
            # A storage that is away for a while must not end the training; the training's own
            # calls say so.
            with contextlib.suppress(Exception):
                if self._beat(number) is False:
                    return

    def stop(self) -> None:
        """End it; the thread may still be in its last call."""
        self._stop.set()
