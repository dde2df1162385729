"""Storages: what they are called, what cannot be reached, what is damaged, what comes back."""

import json
import traceback

import optuna
import pytest
import sqlalchemy.exc

from kerasopt.cli.studies import Place
from kerasopt.tuning.storage import storages
from kerasopt.tuning.storage.storages import StorageError, open_storage, patiently, safe_name
from kerasopt.tuning.storage.urls import as_meant, hidden_within


def test_the_kinds_by_their_names(tmp_path):
    assert isinstance(open_storage("memory", tmp_path), optuna.storages.InMemoryStorage)
    assert isinstance(open_storage(None, tmp_path / "new"), optuna.storages.JournalStorage)
    assert (tmp_path / "new" / "journal.log").is_file()
    assert isinstance(open_storage(tmp_path / "mine.log", tmp_path), optuna.storages.JournalStorage)
    sqlite = open_storage(f"sqlite:///{tmp_path / 'a.db'}", tmp_path)
    assert isinstance(sqlite, optuna.storages.RDBStorage)
    assert open_storage(sqlite, tmp_path) is sqlite


@pytest.mark.parametrize(
    ("storage", "error", "words"),
    [
        (3, TypeError, "argument `storage`"),
        ("/nowhere/at/all/journal.log", ValueError, "folder that exists"),
        ("postgresql://me:s3cret@127.0.0.1:1/db", StorageError, "cannot be reached"),
        ("nothing://me:s3cret@host/db", StorageError, "cannot be reached"),
        ("sqlite:////nowhere/at/all.db", StorageError, "cannot be reached"),
    ],
)
def test_what_cannot_be_opened_is_said_without_a_password(storage, error, words, tmp_path):
    with pytest.raises(error, match=words) as caught:
        open_storage(storage, tmp_path)
    told = "".join(
        str(one) + repr(one)
        for one in (caught.value, caught.value.__cause__, caught.value.__context__)
        if one is not None and not caught.value.__suppress_context__
    )
    assert "s3cret" not in told + str(caught.value)


def test_a_name_that_may_be_shown():
    assert safe_name("postgresql://me:s3cret@host/db") == "postgresql://me:***@host/db"
    assert "s3cret" not in safe_name("post gres://me:s3cret@ho st:x/db")
    assert safe_name("folder/journal.log") == "folder/journal.log"
    assert "s3cret" not in safe_name("postgresql://host/db?user=me&password=s3cret")
    assert "s3cret" not in safe_name("postgresql:/me:s3cret@host/db")
    assert safe_name("postgresql://me@host:5432/db") == "postgresql://me@host:5432/db"
    assert safe_name("postgresql://host:5432") == "postgresql://host:5432"
    odbc = "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Ds3cret"
    assert safe_name(odbc) == "mssql+pyodbc:///?odbc_connect=***"
    for without_host in ("postgresql://me:s3cret", "postgresql://me:s3cret/host/db"):
        assert safe_name(without_host) == "postgresql://me:***"
    said = hidden_within("no answer of postgresql:///db?user=me&password=s3cret today")
    assert said == "no answer of postgresql:///db?user=me&password=*** today"


ODD = ["tr0ub@d0ur", "x@tr0ub/d0ur", "tr0ub:d0ur@5432", "tr0ub/d0ur", "tr0ub%40d0ur",
       "@tr0ub@@d0ur@", "tr0ub?d0ur=1", "tr0ub#d0ur d0ur"]  # fmt: skip


@pytest.mark.parametrize("password", ODD)
def test_no_part_of_an_odd_password_is_shown(password, tmp_path):
    def none(text):
        return "tr0ub" not in text and "d0ur" not in text

    url = f"postgresql://me:{password}@127.0.0.1:1/db"
    assert safe_name(url) == "postgresql://me:***@127.0.0.1:1/db"
    for wrong in (
        f"postgresql:/me:{password}@host/db", f"postgresql:me:{password}@host",
        f"me:{password}@host/db", f"postgresql://me@there:{password}@host/db",
        f"mysql+pymysql://:{password}@host", f"post gres://me:{password}@ho st:x/db",
        f"postgresql://me:{password}@host/db?application_name=a@b", f"{url}?password={password}",
    ):  # fmt: skip
        assert none(safe_name(wrong)), safe_name(wrong)
        with pytest.raises((ValueError, StorageError, ImportError)) as caught:
            open_storage(wrong, tmp_path)
        assert none(str(caught.value)), wrong
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        open_storage(url, tmp_path)
    assert none("".join(traceback.format_exception(caught.value)))
    assert "127.0.0.1" in str(caught.value)
    place = Place(url)
    assert all(none(text) for text in (str(place), place.dashboard(), place.words()))
    said = []
    error = sqlalchemy.exc.OperationalError("select 1", {}, OSError(f"no {url}"))
    with pytest.raises(StorageError) as caught:
        patiently(lambda: (_ for _ in ()).throw(error), wait=0.0, note=said.append)
    assert none(str(caught.value))
    with pytest.raises(TypeError) as caught:
        open_storage(url.encode(), tmp_path)
    assert none(str(caught.value))


@pytest.mark.parametrize("what", ["s3cret", "password=s3cret", "user=me&pwd=s3cret&a=b"])
def test_a_fragment_may_be_a_password_too(what, tmp_path):
    url = f"postgresql://me@127.0.0.1:1/db#{what}"
    assert safe_name(url).startswith("postgresql://me@127.0.0.1:1/db#")
    for text in (safe_name(url), str(Place(url)), hidden_within(f"no {url}, nor '{url}'")):
        assert "s3cret" not in text
    for one in (url, url.replace("me@", "me:other@"), url.replace("/db#", "/db?a=b#")):
        assert "s3cret" not in safe_name(one)
    with pytest.raises(StorageError, match=r"127\.0\.0\.1.*cannot be reached") as caught:
        open_storage(url, tmp_path)
    assert "s3cret" not in str(caught.value)
    assert hidden_within("no database 'db#password=s3cret'") == "no database 'db#password=***"
    for shown in ("sqlite:///trials#1.db", "folder/#1.log", "https://sqlalche.me/e/20#note"):
        assert safe_name(shown) == hidden_within(shown) == shown


def test_a_url_is_read_as_it_is_meant():
    def read(url):
        found = sqlalchemy.engine.make_url(as_meant(url))
        return found.drivername, found.password, found.host, found.port

    for password in ("p@ss/w:rd", "p%40ss%2Fw%3Ard"):
        found = read(f"postgresql://me:{password}@host:5/db")
        assert found == ("postgresql", "p@ss/w:rd", "host", 5)
    assert read("postgres://me:pw@host:5/db?a=b") == ("postgresql", "pw", "host", 5)
    assert read("postgres+psycopg://me:pw@h:5/db")[0] == "postgresql+psycopg"
    same = "sqlite:////tmp/me@here/a:b.db"
    assert as_meant(same) == same
    with pytest.raises(ValueError, match="where its password ends.*quote"):
        as_meant("postgresql://me:p@ss?w=1@host/db")
    assert Place("postgres://me:pw@host/db").dashboard() == "'postgresql+psycopg://me:***@host/db'"


def journal_with_trials(path, count=3):
    study = optuna.create_study(storage=open_storage(path, "."), study_name="s")
    for number in range(count):
        study.tell(study.ask(), float(number))
    return path.read_bytes()


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_journal_that_was_cut_off_in_its_last_line_is_mended(cut, tmp_path):
    path = tmp_path / "journal.log"
    whole = journal_with_trials(path)
    path.write_bytes(whole[:-cut])
    study = optuna.load_study(storage=open_storage(path, "."), study_name="s")
    assert [one.value for one in study.trials[:2]] == [0.0, 1.0]
    study.tell(study.ask(), 9.0)
    lines = path.read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)
    assert whole.startswith(b"\n".join(lines[:4]))


def test_a_last_line_of_zeros_goes_and_a_whole_file_stays(tmp_path):
    path = tmp_path / "journal.log"
    whole = journal_with_trials(path)
    open_storage(path, ".")
    assert path.read_bytes() == whole
    path.write_bytes(whole + b"\0" * 50 + b"\n")
    open_storage(path, ".")
    assert path.read_bytes() == whole


def test_a_file_that_is_no_journal_is_an_error_and_stays(tmp_path):
    path = tmp_path / "journal.log"
    path.write_bytes(b"my thesis\nsecond line\nthird\n")
    with pytest.raises(ValueError, match="path of a journal"):
        open_storage(path, ".")
    assert path.read_bytes() == b"my thesis\nsecond line\nthird\n"


def test_a_storage_that_comes_back_is_waited_for(monkeypatch):
    monkeypatch.setattr(storages.time, "sleep", lambda seconds: None)
    left, said = [3], []

    def action():
        if left[0]:
            left[0] -= 1
            raise sqlalchemy.exc.OperationalError("select 1", {}, OSError("connection refused"))
        return 7

    assert patiently(action, wait=60.0, note=said.append) == 7
    assert len(said) == 2
    assert "connection refused" in said[0]
    assert "again" in said[1]


def test_one_that_does_not_is_an_error_and_other_errors_pass(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(storages.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(storages.time, "sleep", lambda s: now.__setitem__(0, now[0] + s))

    def away():
        error = optuna.exceptions.StorageInternalError("no")
        raise error from sqlalchemy.exc.OperationalError("select 1", {}, OSError("gone"))

    with pytest.raises(StorageError, match="not answered for 30 seconds: gone"):
        patiently(away, wait=30.0)
    with pytest.raises(KeyError):
        patiently(lambda: {}["x"], wait=30.0)
