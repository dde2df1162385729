"""Ctrl-C at the moments that matter: what was begun is written down, and no lock is left."""

import contextlib
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import optuna
import pytest
from optuna.storages.journal import JournalFileSymlinkLock

from kerasopt.tuning import Tuner
from kerasopt.tuning.oracle import oracle
from kerasopt.tuning.oracle import tell as ending
from kerasopt.tuning.storage.search_interrupt import Once, deaf, uninterrupted
from kerasopt.tuning.workers import pool


def press():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def _python_s_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Black(Tuner):
    def run_trial(self, trial, **kwargs):
        return trial.hyperparameters.Float("x", 0.0, 1.0)


def begun(folder, name="search"):
    return Black(objective=("score", "min"), max_trials=2, directory=folder, project_name=name)


def test_it_comes_when_the_whole_is_done():
    done = []

    def act():
        with uninterrupted():
            press()
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        act()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_third_one_breaks_it_off_as_where_a_storage_does_not_answer():
    done = []

    def act():
        with uninterrupted():
            for _ in range(3):
                press()
                done.append(1)

    with pytest.raises(KeyboardInterrupt):
        act()
    assert done == [1, 1]


def test_a_handler_that_is_none_of_pythons_stays():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with uninterrupted():
        press()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def after(function):
    """Give a function that does the same, and then Ctrl-C is pressed."""

    def act(*args, **kwargs):
        found = function(*args, **kwargs)
        press()
        return found

    return act


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (optuna.Study, "ask"),  # there, and nobody knows yet whose it is
        (oracle, "claim"),
        (oracle, "surplus"),
        (oracle, "beating"),  # all is written down, but not yet among what this process runs
        (ending, "end"),  # and at its end
    ],
)
def test_no_trial_is_left_running(where, name, monkeypatch, tmp_path):
    tuner = begun(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, after(getattr(where, name)))
        with pytest.raises(KeyboardInterrupt):
            tuner.search(verbose=0)
    assert "RUNNING" not in {one.state.name for one in tuner.oracle.study.trials}
    again = begun(tmp_path)
    again.search(verbose=0)
    assert [one.state for one in again.results()] == ["COMPLETED"] * 2


def test_no_lock_of_a_journal_is_left(monkeypatch, tmp_path):
    tuner = begun(tmp_path)
    study = tuner.oracle.study
    with monkeypatch.context() as patch:
        patch.setattr(JournalFileSymlinkLock, "acquire", after(JournalFileSymlinkLock.acquire))
        with pytest.raises(KeyboardInterrupt):
            study.set_user_attr("a", 1)
    assert not [path.name for path in (tmp_path / "search").iterdir() if "lock" in path.name]
    assert study.user_attrs["a"] == 1


# Workers: each is told until it has heard.

BEGINNING = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("begins", flush=True)
sys.stdin.readline()
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("listens", flush=True)
sys.stdin.readline()
"""


def test_a_worker_that_is_still_beginning_is_told_again(monkeypatch):
    """One that hears it never would begin a trial, and be killed in the middle of that."""
    monkeypatch.setattr(pool, "_AGAIN", 0.0)
    with subprocess.Popen(
        [sys.executable, "-c", BEGINNING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begins\n"
        heard = []

        def join(seconds=None):
            if heard:
                process.wait()
            else:  # it was told once, and did not hear it
                process.stdin.write("\n")
                process.stdin.flush()
                heard.append(process.stdout.readline())

        one = SimpleNamespace(
            pid=process.pid, join=join, is_alive=lambda: process.poll() is None, kill=process.kill
        )
        pool._end([pool._Worker(one, None)])
        assert heard == ["listens\n"]
        assert process.wait() == -signal.SIGINT


def test_what_comes_while_a_process_is_started_is_not_lost():
    code = (
        "import signal\n"
        "from kerasopt.tuning.storage.search_interrupt import Once\n"
        "print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)\n"
        "input()\n"
        "once = Once()\n"
        "try:\n"
        "    once.listen()\n"
        "except KeyboardInterrupt:\n"
        "    print('heard', once.came)\n"
    )

    def act():
        with deaf():
            started.append(
                subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
            )  # fmt: skip
            press()

    started = []
    with pytest.raises(KeyboardInterrupt):
        act()
    (process,) = started
    assert process.stdout.readline() == "True\n"
    process.send_signal(signal.SIGINT)  # it is not ready for it
    said, _ = process.communicate("\n")
    assert said == "heard True\n"


def test_one_that_was_swallowed_is_known():
    once = Once()
    once.listen()
    with contextlib.suppress(KeyboardInterrupt):
        press()
    assert once.came
    press()  # of the parent: no further one
