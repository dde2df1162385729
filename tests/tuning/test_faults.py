"""Faults, really produced: processes killed, a database stopped, a whole search ended."""

import collections
import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from kerasopt.tuning.oracle import OptunaOracle
from kerasopt.tuning.records import OUT
from kerasopt.tuning.storages import StorageError, open_storage
from tests.tuning.child import tuner_of
from tests.tuning.conftest import PASSWORD
from tests.tuning.test_workers import notes, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def begin(folder, storage="-", trials=12, sampler="grid", seconds=0.5, workers=1):
    command = [sys.executable, "-m", "tests.tuning.child", folder, storage, trials, sampler,
               seconds, workers]  # fmt: skip
    return subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def ended(folder):
    return [name for what, _, name in notes(folder) if what == "end"]


def begun(folder):
    return [name for what, _, name in notes(folder) if what == "begin"]


def name_of(record):
    return f"{record.values['a']}{record.values['b']}"


def kill_all(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_a_search_that_is_killed_goes_on_and_runs_nothing_twice(sampler, tmp_path):
    first = begin(tmp_path, sampler=sampler)
    until(lambda: len(begun(tmp_path)) >= 5)  # in the middle of the fifth
    kill_all(first)
    before = ended(tmp_path)
    assert len(before) == 4
    tuner = tuner_of(tmp_path, sampler=sampler)
    tuner.search(verbose=0)
    ran = ended(tmp_path)
    assert ran[: len(before)] == before
    assert len(ran) == len(set(ran)) == 12
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 12


def test_a_search_with_workers_that_is_killed_goes_on(tmp_path):
    first = begin(tmp_path, workers=2)
    until(lambda: len(ended(tmp_path)) >= 4)
    kill_all(first)
    tuner = tuner_of(tmp_path)
    done = {one.id: name_of(one) for one in tuner.results() if one.state == "COMPLETED"}
    assert len(done) >= 3
    tuner.search(verbose=0, workers=2)
    # What had been written down when the processes were killed was not run again.
    ran = collections.Counter(ended(tmp_path))
    assert all(ran[name] == 1 for name in done.values())
    assert len(ran) == 12
    records = tuner.results()
    assert [one.state for one in records] == ["COMPLETED"] * 12
    assert {one.id: name_of(one) for one in records}.items() >= done.items()


def test_workers_end_when_the_search_that_started_them_is_killed(tmp_path):
    first = begin(tmp_path, workers=2, seconds=0.3)
    until(lambda: len(ended(tmp_path)) >= 2)
    pids = {int(pid) for _, pid, _ in notes(tmp_path)}
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    until(lambda: not any(alive(pid) for pid in pids))
    assert len(ended(tmp_path)) < 12


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_ctrl_c_ends_workers_in_good_order(tmp_path):
    first = begin(tmp_path, workers=2)
    until(lambda: len(ended(tmp_path)) >= 3)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(60) != 0
    study = optuna.load_study(
        storage=open_storage(tmp_path / "search" / "journal.log", "."), study_name="search"
    )
    states = [one.state.name for one in study.trials]
    assert "RUNNING" not in states
    tuner = tuner_of(tmp_path)
    tuner.search(verbose=0)
    assert len(set(ended(tmp_path))) == 12
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 12


def test_two_searches_that_share_a_journal_need_no_chief(tmp_path):
    both = [begin(tmp_path, seconds=0.4) for _ in range(2)]
    until(lambda: len({pid for _, pid, _ in notes(tmp_path)}) == 2)
    running = [int(pid) for what, pid, _ in notes(tmp_path) if what == "begin"][-1]
    os.kill(running, signal.SIGKILL)
    for process in both:
        process.wait(90)
    codes = sorted(process.returncode for process in both)
    assert codes == [-signal.SIGKILL, 0]
    ran = ended(tmp_path)
    assert len(ran) == len(set(ran)) == 12


# -- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture
def database(postgres):
    """Give the URL of a database of its own."""
    import psycopg

    name = f"d{os.urandom(4).hex()}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url.replace("/postgres", f"/{name}")


def test_kill_one_of_two_in_a_database(database, tmp_path):
    both = [begin(tmp_path, database, seconds=0.4) for _ in range(2)]
    until(lambda: len({pid for _, pid, _ in notes(tmp_path)}) == 2)
    os.kill([int(pid) for what, pid, _ in notes(tmp_path) if what == "begin"][-1], signal.SIGKILL)
    for process in both:
        process.wait(90)
    assert sorted(process.returncode for process in both) == [-signal.SIGKILL, 0]
    ran = ended(tmp_path)
    assert len(ran) == len(set(ran)) == 12
    storage = open_storage(database, ".")
    trials = optuna.load_study(storage=storage, study_name="search").trials
    assert sum(OUT not in one.user_attrs for one in trials) == 12
    said = "".join(process.stdout.read() for process in both)
    assert PASSWORD not in said


def test_a_database_that_is_stopped_for_ten_seconds_is_waited_for(postgres, database, tmp_path):
    # Twelve trials of a second: it is not through before the database has stopped.
    process = begin(tmp_path, database, seconds=1.0)
    until(lambda: len(ended(tmp_path)) >= 3)
    postgres.stop()
    try:
        # Ten seconds in which the search is alive and gets nowhere.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(10)
        during = len(ended(tmp_path))
        assert during < 12
    finally:
        postgres.start()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    ran = ended(tmp_path)
    # A trial may be run twice if the database went away while it was being asked for.
    assert len(set(ran)) == 12
    assert "does not answer" in said
    assert "answers again" in said
    assert PASSWORD not in said


def test_a_wrong_password_is_said_at_once_and_not_shown(database):
    wrong = database.replace(PASSWORD, "Another-Secret-9")
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        OptunaOracle(storage=wrong)
    assert "Another-Secret-9" not in str(caught.value)


def test_many_that_begin_at_once_make_the_tables_once(database, tmp_path):
    both = [begin(tmp_path, database, trials=12, sampler="random", seconds=0.0) for _ in range(3)]
    for process in both:
        said, _ = process.communicate(timeout=150)
        assert process.returncode == 0, said
        assert "done 12" in said
    assert len(ended(tmp_path)) == 12
