"""The files of trials: the best few are kept, so that a disk does not fill up."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kerasopt._files import replacing

WEIGHTS = "model.weights.h5"
BUILD_CONFIG = "build_config.json"


def folder_of(project: Path, trial_id: str) -> Path:
    """Give the folder of a trial's files, which may not exist."""
    return project / f"trial_{trial_id}"


def write_weights(model: Any, folder: Path) -> None:
    """Write a model's weights, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as temporary:
        model.save_weights(temporary)


def adopt(part: Path, folder: Path) -> None:
    """Let the files of one execution be the trial's; those that are there go."""
    if part.is_dir():
        for file in part.iterdir():
            os.replace(file, folder / file.name)


def keep_only(project: Path, kept: Iterable[str], running: Iterable[str]) -> None:
    """Delete the files of all trials but some.

    Several processes may do so at once.

    Args:
        project: The project's folder.
        kept: Names of the trials to keep.
        running: Names of those that still write.
    """
    wanted = {folder_of(project, one).name for one in (*kept, *running)}
    for folder in project.glob("trial_*"):
        if folder.is_dir() and folder.name not in wanted:
            shutil.rmtree(folder, ignore_errors=True)
