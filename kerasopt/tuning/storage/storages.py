"""Where a study is kept: in memory, in a journal file, in a database."""

import contextlib
import json
import os
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt._core.errors import KerasoptError
from kerasopt.tuning import _optuna
from kerasopt.tuning.extra import missing
from kerasopt.tuning.storage.search_interrupt import uninterrupted
from kerasopt.tuning.storage.urls import as_meant, fragment_of, hidden, hidden_within, is_secret

JOURNAL = "journal.log"
_BEGIN = b'{"op_code":'  # of each line of a journal
_PAUSE = 0.5  # seconds until a storage that does not answer is asked again, then twice as long
_LONGEST_PAUSE = 10.0

Answer = TypeVar("Answer")


class StorageError(KerasoptError, RuntimeError):
    """A storage that cannot be reached, or does not answer any more."""


def open_storage(storage: Any, folder: str | os.PathLike[str]) -> BaseStorage:
    """Open the storage that an argument names.

    Args:
        storage: `None`, a journal file in `folder`; `"memory"`; the path of a journal file; the URL
            of a database, such as `"postgresql://user:password@host/name"`; or a storage of Optuna.
        folder: Where the journal file lies by default; it is made.

    Raises:
        TypeError: If it is none of these.
        StorageError: If it cannot be reached; the message holds no password.
        ImportError: If the database's driver is missing.
    """
    if isinstance(storage, BaseStorage):
        return storage
    if storage is None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        return _journal(Path(folder) / JOURNAL)
    if not isinstance(storage, (str, os.PathLike)):
        raise bad_type(
            "storage",
            'None, "memory", the path of a journal, the URL of a database or a storage of Optuna',
            type(storage),  # no value of another type, which may hold a password
        )
    name = os.fspath(storage)
    if name == "memory":
        return InMemoryStorage()
    if re.match(r"\w\w+:/(?!/)", name):
        raise bad_value("storage", "a URL, with two slashes after the colon", hidden(name))
    if isinstance(storage, str) and not re.search(r"[./\\]", name) and not Path(name).exists():
        raise bad_value(
            "storage",
            '"memory", a URL, or the path of a journal, such as "searches/journal.log"',
            hidden(name),
            did_you_mean(name, ["memory"]),
        )
    return _database(name) if "://" in name else _journal(Path(name))


def safe_name(storage: Any) -> str:
    """Name a storage in words that may be shown: without a password."""
    if storage is None or isinstance(storage, (str, os.PathLike)):
        return hidden(JOURNAL if storage is None else os.fspath(storage))
    return type(storage).__name__


def _journal(path: Path) -> BaseStorage:
    if not path.parent.is_dir():
        raise bad_value("storage", "the path of a file in a folder that exists", hidden(str(path)))
    if path.is_dir():
        raise bad_value("storage", "the path of a file", str(path), "It is a folder.")
    _check_journal(path)
    _mend(path)
    try:
        return JournalStorage(_Journal(str(path)))
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise StorageError(f"The journal {path} cannot be read: {error}") from error


def _check_journal(path: Path) -> None:
    """Check that a file is a journal, before anything is taken off its end."""
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(len(_BEGIN))
        if not _BEGIN.startswith(begin):
            raise bad_value(
                "storage", "the path of a journal, or of a new file", str(path), "It is no journal."
            )


class _Journal(JournalFileBackend):
    """A journal in which a line that a killed process has begun does not spoil the next one."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        path = _optuna.journal_of(self)
        # Ctrl-C at the wrong moment would leave its lock, for which all others wait.
        with uninterrupted():
            with open(path, "rb") as file:
                file.seek(0, os.SEEK_END)
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                torn = file.tell() > 0 and file.read(1) != b"\n"
            if torn:
                _mend(path)
            super().append_logs(logs)


def _mend(path: Path) -> None:
    """Take off a last line that was not written to its end, as by a machine that lost power."""
    if not path.exists() or path.stat().st_size == 0:
        return
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        with open(path, "rb+") as file:
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
            with contextlib.suppress(ValueError):
                if last:
                    json.loads(last)
                last = b""
            if len(whole) - len(last) != len(content):
                file.truncate(len(whole) - len(last))
    finally:
        lock.release()


def _database(url: str) -> BaseStorage:
    import sqlalchemy

    shown = safe_name(url)
    meant = as_meant(url)
    try:
        parsed = sqlalchemy.engine.make_url(meant)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise bad_value(
            "storage", "a URL such as postgresql://user:password@host/name", shown
        ) from None
    if parsed.drivername == "postgresql" and _there("psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    backend = parsed.get_backend_name()
    waits = {"sqlite": {"timeout": 30}, "postgresql": {"connect_timeout": 10},
             "mysql": {"connect_timeout": 10}}  # fmt: skip
    connect: dict[str, Any] = waits.get(backend, {})
    engine = {"pool_pre_ping": True, "connect_args": connect}
    error: Exception | None = None
    for attempt in range(5):  # two workers that begin at once may both make the tables
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return RDBStorage(
                    parsed.render_as_string(hide_password=False), engine_kwargs=engine
                )
        except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError) as raised:
            error = raised
            time.sleep(0.2 * (attempt + 1))
        except sqlalchemy.exc.SQLAlchemyError as raised:
            error = raised
            break
        except ImportError as raised:
            cause = raised.__cause__ if isinstance(raised.__cause__, ImportError) else raised
            told = missing(cause)
            if told is cause:
                told = ImportError(f"The storage {shown} needs a driver of its database: {cause}.")
            raise told from None
    said = str(getattr(error, "orig", None) or error).strip()
    secrets = [
        fragment_of(url),
        parsed.password,
        *(v for k, v in parsed.query.items() if is_secret(k)),
    ]
    # Neither the error nor what it was raised from may show the password.
    said = hidden_within(said, secrets)
    raise StorageError(f"The storage {shown} cannot be reached: {said}") from None


def _there(package: str) -> bool:
    try:
        __import__(package)
    except ImportError:
        return False
    return True


def patiently(
    action: Callable[[], Answer],
    wait: float = 600.0,
    note: Callable[[str], None] | None = None,
) -> Answer:
    """Do something with a storage, again and again while its database does not answer.

    Args:
        action: What to do; it must do no harm to do it twice.
        wait: Seconds until it is given up.
        note: Told once that the storage does not answer, and once that it does again.

    Raises:
        StorageError: If it still does not answer; other errors of `action` are passed on.
    """
    begun, pause = time.monotonic(), _PAUSE
    waiting = False
    while True:
        try:
            answer = action()
        except Exception as error:
            if not _passing(error):
                raise
            if time.monotonic() - begun + pause > wait:
                raise StorageError(
                    f"The storage has not answered for {wait:.0f} seconds: {_cause(error)}"
                ) from None
            if note is not None and not waiting:
                note(f"The storage does not answer ({_cause(error)}); waiting for it.")
            waiting = True
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            if waiting and note is not None:
                note("The storage answers again.")
            return answer


def _passing(error: BaseException) -> bool:
    """Tell whether an error is one of a connection that may come back."""
    import sqlalchemy.exc as sql

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (sql.OperationalError, sql.InterfaceError)):
            return True
        if isinstance(cause, sql.DBAPIError) and cause.connection_invalidated:
            return True
        cause = cause.__cause__
    return False


def _cause(error: BaseException) -> str:
    last = error
    while last.__cause__ is not None:
        last = last.__cause__
    lines = str(getattr(last, "orig", None) or last).strip().splitlines()
    return hidden_within(lines[0]) if lines else type(last).__name__
