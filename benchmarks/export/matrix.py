"""Kinds of models x modes x ways: what is converted, and what of that is wrong."""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.export.paths import PLAIN
from benchmarks.export.process import CrashError, Process

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
WORSE_DB = 10.0


class Cell(NamedTuple):
    """What came of one kind in one mode by one way.

    Attributes:
        outcome: `"right"`, `"wrong"`, `"refused"`, or `"crashed"`: it ended the process.
        db: The lowest ratio of its outputs, if it is right.
        why: What was wrong, or the reason of the refusal.
    """

    outcome: str
    db: float = float("nan")
    why: str = ""


Cells = dict[tuple[str, str, str], Cell]


def ends_the_process(kind: str, mode: str, path: str) -> bool:
    """Tell whether a cell is known to end the process: it is counted, and not run again.

    The calibrator of TensorFlow 2.21 ends by SIGSEGV where a graph loops over time, which it does
    for all recurrent layers that are not unrolled.
    """
    return path == PLAIN and kind.endswith("a loop, batch 1") and mode in ("int8", "int16x8")


def matrix(kinds: Sequence[str], modes: Sequence[str], paths: Sequence[str]) -> Cells:
    """Convert and judge everything, each time a new model, in processes that may crash."""
    found: Cells = {}
    for path in paths:
        with Process() as process:
            for number, kind in enumerate(kinds):
                for mode in modes:
                    found[kind, mode, path] = _cell(process, kind, mode, path)
                print(f"\r{path}: {number + 1} of {len(kinds)}", end="", file=sys.stderr)
        print(file=sys.stderr, flush=True)
    return found


def _cell(process: Process, kind: str, mode: str, path: str) -> Cell:
    if ends_the_process(kind, mode, path):
        return Cell("crashed", why="SIGSEGV, known and not run")
    last = None
    try:
        for one in process.ask(120.0, task="cell", name=kind, mode=mode, path=path):
            last = Cell(**one)
    except CrashError as error:
        return last or Cell("crashed", why=str(error))
    assert last is not None
    return last


def summary(cells: Cells, paths: Sequence[str], mode: str | None = None) -> list[list[str]]:
    """Count outcomes by way, over all modes or in one."""
    ours = {key[:2]: cell.db for key, cell in cells.items() if key[2] == paths[0]}
    rows = []
    for path in paths:
        mine = {
            key[:2]: cell
            for key, cell in cells.items()
            if key[2] == path and mode in (None, key[1])
        }
        counts = Counter(cell.outcome for cell in mine.values())
        coarse = sum(cell.db < ours[key] - WORSE_DB for key, cell in mine.items())
        files = counts["right"] + counts["wrong"]
        rows.append([path, len(mine), files, counts["right"], coarse, counts["wrong"],
                     counts["refused"], counts["crashed"]])  # fmt: skip
    return [[str(entry) for entry in row] for row in rows]


def short(cell: Cell) -> str:
    """Give a cell in a word."""
    return f"{cell.db:.0f}" if cell.outcome == "right" else cell.outcome.upper()
