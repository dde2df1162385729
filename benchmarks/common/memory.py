"""The most memory that processes have while something runs, as Linux tells it."""

import gc
import threading
from pathlib import Path
from typing import Self

LOOK = 0.001  # seconds between two looks at the memory


class OwnPeak:
    """The most memory that this process has, in bytes, and what it had at first."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        gc.collect()
        # Linux begins its own peak anew where it may be asked; the looks are for where it may not.
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._field = "VmHWM"
        except OSError:
            self._field = "VmRSS"
        self.first = self.most = status("VmRSS")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self.most = max(self.most, status(self._field))

    def _look(self) -> None:
        while not self._end.wait(LOOK):
            self.most = max(self.most, status("VmRSS"))


def status(name: str) -> int:
    """Give a number of this process, such as `VmRSS`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


class TreePeak:
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
