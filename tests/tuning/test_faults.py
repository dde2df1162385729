"""Faults, really produced: processes killed, a database stopped, a whole search ended."""

import collections
import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage.records import OUT
from kerasopt.tuning.storage.storages import StorageError, open_storage
from tests.tuning.child import tuner_of
from tests.tuning.conftest import PASSWORD
from tests.tuning.test_workers import hold, let_go, notes, processes, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def begin(folder, storage="-", trials=12, sampler="grid", seconds=0.0, workers=1):
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


def kill_one(folder):
    """Kill the last one to begin of two processes that are held in a trial."""
    until(lambda: len(processes(folder)) == 2 and len(begun(folder)) == 3)
    os.kill([int(pid) for what, pid, _ in notes(folder) if what == "begin"][-1], signal.SIGKILL)
    let_go(folder)


def kill_all(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_a_search_that_is_killed_goes_on_and_runs_nothing_twice(sampler, tmp_path):
    hold(tmp_path, 5)
    first = begin(tmp_path, sampler=sampler)
    until(lambda: len(begun(tmp_path)) == 5)  # in the middle of the fifth
    kill_all(first)
    let_go(tmp_path)
    before = ended(tmp_path)
    assert len(before) == 4
    tuner = tuner_of(tmp_path, sampler=sampler)
    tuner.search(verbose=0)
    ran = ended(tmp_path)
    assert ran[: len(before)] == before
    assert len(ran) == len(set(ran)) == 12
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 12


def test_a_search_with_workers_that_is_killed_goes_on(tmp_path):
    hold(tmp_path, 5)
    first = begin(tmp_path, workers=2)
    until(lambda: len(begun(tmp_path)) == 6)  # both are held, so four have been written down
    kill_all(first)
    let_go(tmp_path)
    tuner = tuner_of(tmp_path)
    done = {one.id: name_of(one) for one in tuner.results() if one.state == "COMPLETED"}
    assert len(done) == 4
    tuner.search(verbose=0, workers=2)
    # What had been written down when the processes were killed was not run again.
    ran = collections.Counter(ended(tmp_path))
    assert all(ran[name] == 1 for name in done.values())
    assert len(ran) == 12
    records = tuner.results()
    assert [one.state for one in records] == ["COMPLETED"] * 12
    assert {one.id: name_of(one) for one in records}.items() >= done.items()


def test_workers_end_when_the_search_that_started_them_is_killed(tmp_path):
    hold(tmp_path, 2)
    first = begin(tmp_path, workers=2)
    until(lambda: len(processes(tmp_path)) == 2 and len(begun(tmp_path)) == 3)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    let_go(tmp_path)
    until(lambda: not any(alive(pid) for pid in processes(tmp_path)))
    assert len(ended(tmp_path)) == 3  # each ends the trial that it is at


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_ctrl_c_ends_workers_in_good_order(tmp_path):
    hold(tmp_path, 4)
    first = begin(tmp_path, workers=2)
    until(lambda: len(ended(tmp_path)) == 3 and len(begun(tmp_path)) >= 4)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(600) != 0
    let_go(tmp_path)
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
    hold(tmp_path, 2)
    both = [begin(tmp_path) for _ in range(2)]
    kill_one(tmp_path)
    for process in both:
        process.wait(600)
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
    hold(tmp_path, 2)
    both = [begin(tmp_path, database) for _ in range(2)]
    kill_one(tmp_path)
    for process in both:
        process.wait(600)
    assert sorted(process.returncode for process in both) == [-signal.SIGKILL, 0]
    ran = ended(tmp_path)
    assert len(ran) == len(set(ran)) == 12
    storage = open_storage(database, ".")
    trials = optuna.load_study(storage=storage, study_name="search").trials
    assert sum(OUT not in one.user_attrs for one in trials) == 12
    said = "".join(process.stdout.read() for process in both)
    assert PASSWORD not in said


def test_a_database_that_is_stopped_is_waited_for(postgres, database, tmp_path):
    hold(tmp_path, 4)
    process = begin(tmp_path, database)
    until(lambda: len(begun(tmp_path)) == 4)
    postgres.stop()
    let_go(tmp_path)
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "does not answer" in line:
                break
        # It is alive, and gets nowhere.
        assert process.poll() is None
        assert len(ended(tmp_path)) < 12
    finally:
        postgres.start()
    rest, _ = process.communicate(timeout=600)
    said += rest
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
    both = [begin(tmp_path, database, trials=12, sampler="random") for _ in range(3)]
    for process in both:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        assert "done 12" in said
    assert len(ended(tmp_path)) == 12
