"""The backups of one run: numbered files in a folder, the newest that is whole being the one."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kerasopt._core import files
from kerasopt._core.checks import bad_type, bad_value, warn

_NAME = re.compile(r"backup-(\d{8})\.npz")


class BackupFiles:
    """The files of a backup folder.

    A new one is written beside the others and moved into place, so whenever the process dies, a
    whole one is there.

    Args:
        folder: Where; made if it is missing.
        keep: Int >= 1, how many of the newest are kept.

    Raises:
        TypeError: If `folder` is no path.
        ValueError: If it is empty or `None`, or is a file.
    """

    def __init__(self, folder: Any, keep: int):
        if not folder:  # `None` too is a `ValueError` in Keras
            raise bad_value("backup_dir", "the path of a folder", folder)
        if not isinstance(folder, (str, os.PathLike)):
            raise bad_type("backup_dir", "the path of a folder", folder)
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise bad_value("backup_dir", "a folder, made if it is missing", str(folder))
        self.keep = keep

    def prepare(self) -> None:
        """Make the folder, and clear away what a killed process left half written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".backup-*"):
            path.unlink()

    def paths(self) -> list[Path]:
        """Give the files, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        return sorted(found, reverse=True)

    def write(self, data: Mapping[str, Any]) -> None:
        """Write a new backup and remove those that are too old."""
        paths = self.paths()
        match = _NAME.fullmatch(paths[0].name) if paths else None
        number = int(match[1]) + 1 if match else 1
        files.save(self.folder / f"backup-{number:08d}.npz", data)
        for path in self.paths()[self.keep :]:
            path.unlink()

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """Read the newest backup that is whole; a damaged one is named in a warning.

        Returns:
            Its path and what it holds, or `None` if there is no backup.

        Raises:
            DamagedFileError: If all are damaged.
        """
        last: files.DamagedFileError | None = None
        damaged: list[Path] = []
        for path in self.paths():
            try:
                data = files.load(path)
            except files.DamagedFileError as error:
                last = error
                damaged.append(path)
                warn(f"BackupAndRestore: {error} The backup before it is taken, if there is one.")
                continue
            for one in damaged:
                # Out of the way, so that it is not counted among the backups that are kept.
                one.rename(one.with_suffix(".damaged"))
            return path, data
        if last is not None:
            raise files.DamagedFileError(
                f"{last} No other backup is left. Remove the folder {str(self.folder)!r} to begin "
                "anew."
            ) from last
        return None

    def delete(self) -> None:
        """Remove the backups, and the folder if nothing else is in it."""
        for path in [*self.paths(), *self.folder.glob("backup-*.damaged")]:
            path.unlink()
        with suppress(OSError):
            self.folder.rmdir()
