"""The files of trials: the best few are kept, so that a disk does not fill up."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core.files import replacing
from kerasopt.tuning.storage.records import Record

WEIGHTS = "model.weights.h5"
BUILD_CONFIG = "build_config.json"


def folder_of(project: Path, trial_id: str) -> Path:
    """Give the folder of a trial's files, which may not exist."""
    return project / f"trial_{trial_id}"


def write_weights(model: Any, folder: Path) -> None:
    """Write a model's weights, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as temporary, as_built(model):
        model.save_weights(temporary)


@contextmanager
def as_built(model: Any) -> Iterator[None]:
    """Let Keras save and load a model whose class has no `call`, and which it never calls built."""
    before = model.built
    model.built = True
    try:
        yield
    finally:
        model.built = before


def adopt(part: Path, folder: Path) -> None:
    """Let the files of one execution be the trial's; those that are there go."""
    if part.is_dir():
        for file in part.iterdir():
            os.replace(file, folder / file.name)


def delete(project: Path, names: Iterable[str]) -> None:
    """Delete the files of trials.

    Several processes may do so at once.

    Args:
        project: The project's folder.
        names: Of the trials, which have ended.
    """
    for name in names:
        folder = folder_of(project, name)
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def chosen(best: Sequence[Record], front: Sequence[Record], count: int) -> list[Record]:
    """Choose which trials are kept: the best, or of a larger Pareto front some from all along it.

    Args:
        best: Trials, the best first.
        front: With several objectives those on the front, sorted by the first objective; else none.
        count: How many.
    """
    if len(front) <= count:
        return list(best[:count])
    kept = list(front)
    points = np.array([one.objectives for one in front], float)
    spread = np.ptp(points, axis=0)
    points = points / np.where(spread > 0, spread, 1.0)
    while len(kept) > count:
        if count < 3:
            return [kept[0], kept[-1]][:count]
        # The one whose neighbours are nearest to each other is missed the least.
        gaps = np.abs(points[2:] - points[:-2]).sum(axis=1)
        crowded = int(gaps.argmin()) + 1
        kept.pop(crowded)
        points = np.delete(points, crowded, axis=0)
    return kept
