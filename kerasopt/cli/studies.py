"""Where the commands find a study."""

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import optuna
from optuna.storages import BaseStorage

from kerasopt._core.checks import bad_value
from kerasopt.cli.tune_settings import COMMAND, read
from kerasopt.tuning.storage.storages import JOURNAL, StorageError, open_storage, safe_name
from kerasopt.tuning.storage.study import SETTINGS, find_study
from kerasopt.tuning.storage.urls import hidden

_NAME = "search"
Answer = TypeVar("Answer")
_PAUSE = 0.25  # seconds until a study that is not there is looked for again


@dataclass(frozen=True)
class Place:
    """Where a study is.

    Attributes:
        storage: URL of a database, path of a journal file, or `None`: a file in the study's folder.
        directory: Where that folder lies; `None`: here.
        study_name: The study's name; `None`: `"search"`, for who joins or looks the only one there.
    """

    storage: str | None = None
    directory: str | None = None
    study_name: str | None = None

    def __post_init__(self) -> None:
        if self.storage == "memory":
            expected = "a file, or the URL of a database"
            raise bad_value("storage", expected, "memory", "Nothing would be left of the search.")

    @property
    def name(self) -> str:
        """The name of the study, or of one that is made here."""
        return self.study_name or _NAME

    @property
    def file(self) -> Path | None:
        """The file that holds the study; `None` where a server does."""
        if self.storage is None:
            return Path(self.directory or ".", self.name, JOURNAL)
        if "://" not in self.storage:
            return Path(self.storage)
        if not self.storage.startswith("sqlite"):
            return None
        import sqlalchemy

        try:
            database = sqlalchemy.engine.make_url(self.storage).database
        except (sqlalchemy.exc.ArgumentError, ValueError):
            return None  # `open` says what is wrong
        return Path(database) if database else None

    def __str__(self) -> str:
        """Give it in words that another process understands, but for the password."""
        if self.storage is not None and "://" in self.storage:
            return safe_name(self.storage)
        return hidden(str(Path(self.file or ".").absolute()))

    def words(self) -> str:
        """Give the options that name it to another process."""
        name = "" if self.name == _NAME else f" --study-name {shlex.quote(self.name)}"
        return f"--storage {shlex.quote(str(self))}{name}"

    def dashboard(self) -> str:
        """Give the word that names the storage to `optuna-dashboard`."""
        # SQLAlchemy takes another driver for PostgreSQL unless it is told; we take psycopg.
        shown = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", str(self))
        return shlex.quote(shown)

    def exists(self) -> bool:
        """Tell whether there is a file; of a server that is not asked."""
        return self.file is None or self.file.is_file()

    def open(self) -> BaseStorage:
        """Open the storage.

        Raises:
            UsageError: If it cannot be reached.
        """
        return reached(lambda: open_storage(self.storage or self.file, "."))


def reached(action: Callable[[], Answer]) -> Answer:
    """Do something with a storage; one that cannot be reached is a mistake of the user."""
    try:
        return action()
    except StorageError as error:
        raise click.UsageError(str(error)) from None


def names_in(storage: BaseStorage) -> list[str]:
    """Give the names of all studies of a storage."""
    return [one.study_name for one in optuna.get_all_study_summaries(storage)]


def begun(
    place: Place, storage: BaseStorage | None = None, only: bool = False
) -> tuple[str, dict[str, Any]] | None:
    """Read the name of a study and what it was begun with; `None` if it is not there.

    Args:
        place: Where it is.
        storage: The same, opened. Defaults to `None`.
        only: Whether the only study there may have any name. Defaults to `False`.

    Raises:
        UsageError: If the storage cannot be reached.
        ValueError: If there are several, and none was named.
    """
    if storage is None and not place.exists():
        return None
    storage = storage or place.open()
    names = names_in(storage)
    if place.name not in names and (place.study_name is not None or not names or not only):
        return None
    study = find_study(storage, place.name if place.name in names else None)
    kept = study.user_attrs
    return study.study_name, read(kept.get(COMMAND, {}), kept.get(SETTINGS))


def joined(place: Place, seconds: float) -> tuple[str, dict[str, Any]]:
    """Wait for a study that another process begins; what comes is as in `begun`.

    Args:
        place: Where it will be.
        seconds: How long to wait for it.

    Raises:
        ValueError: If it does not come.
    """
    late = time.monotonic() + seconds
    told, storage = False, None
    while True:
        if storage is None and place.exists():
            storage = place.open()
        found = None if storage is None else begun(place, storage, only=True)
        # What it is begun with is the last that the process which begins it writes down.
        if found is not None and "max_trials" in found[1]:
            return found
        if time.monotonic() >= late:
            break
        if not told:
            click.echo(f"Waiting for a study {place.name!r} in {place}.")
            told = True
        time.sleep(_PAUSE)
    if found is not None:
        raise bad_value(
            "worker",
            "a study that `kerasopt tune` has begun",
            found[0],
            "A script has begun it: run that script here too.",
        )
    raise bad_value(
        "worker",
        f"a study in {place}",
        place.name,
        "There is none of that name: begin the search first, without --worker.",
    )
