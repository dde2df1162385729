"""Several processes: what they share, what cannot be sent, what happens when one is killed."""

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras_tuner
import numpy as np
import pytest

from kerasopt.tuning import Tuner
from tests.tuning.child import Killing, Slow, tuner_of

pytestmark = pytest.mark.slow  # every process imports TensorFlow


def notes(folder):
    path = folder / "notes"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def until(condition, seconds=600.0):
    """Wait for something that another process does, as long as it may take anywhere."""
    late = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < late, "it did not happen"
        threading.Event().wait(0.05)


def hold(folder, number):
    """Let no trial end, from the one that begins as so many on."""
    (folder / "hold").write_text(str(number))


def let_go(folder):
    (folder / "hold").unlink()


def processes(folder):
    return {int(pid) for _, pid, _ in notes(folder)}


def meanwhile(act):
    """Do something in a thread while a search runs here."""
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_two_workers_run_every_trial_once(tmp_path):
    def wait_for_both():
        until(lambda: len(processes(tmp_path)) == 2)
        let_go(tmp_path)

    hold(tmp_path, 2)
    tuner = tuner_of(tmp_path, max_trials=10, sampler="random")
    waiting = meanwhile(wait_for_both)
    tuner.search(verbose=0, workers=2)
    waiting.join()
    said = notes(tmp_path)
    ran = [name for what, _, name in said if what == "end"]
    assert len(ran) == len(set(ran)) == 10
    assert len({pid for _, pid, _ in said}) == 2
    assert str(os.getpid()) not in {pid for _, pid, _ in said}
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 10


def test_a_killed_worker_loses_no_trial_and_a_new_one_takes_its_place(tmp_path):
    tuner = tuner_of(tmp_path, max_trials=8, sampler="random")
    killed = []

    def kill():
        until(lambda: len(processes(tmp_path)) == 2)
        running = [pid for what, pid, _ in notes(tmp_path) if what == "begin"]
        killed.append(int(running[-1]))
        os.kill(killed[0], signal.SIGKILL)
        let_go(tmp_path)

    hold(tmp_path, 2)
    killer = meanwhile(kill)
    tuner.search(verbose=0, workers=2)
    killer.join()
    ran = [name for what, _, name in notes(tmp_path) if what == "end"]
    assert len(ran) == len(set(ran)) == 8
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 8
    lost = [one for one in tuner.oracle.study.trials if "kerasopt:out" in one.user_attrs]
    assert [one.user_attrs["kerasopt:out"] for one in lost] == ["lost: its process ended"]
    assert lost[0].user_attrs["kerasopt:owner"]["pid"] == killed[0]


def test_a_trial_that_kills_each_process_is_failed_with_its_reason_and_the_rest_unharmed(tmp_path):
    tuner = tuner_of(tmp_path, max_trials=12, kind=Killing)
    tuner.search(verbose=0, workers=2)
    states = collections.Counter(one.state for one in tuner.results())
    assert states == {"COMPLETED": 11, "FAILED": 1}
    (failed,) = (one for one in tuner.results() if one.state == "FAILED")
    assert failed.values == {"a": 2, "b": "y"}
    assert "3 times in a row (killed, perhaps for lack of memory)" in failed.reason


class KillingAtOnce(Slow):
    """Ends every process at the first configuration of the grid."""

    def fit(self, hp, model, *args, **kwargs):
        if (hp.get("a"), hp.get("b")) == (1, "x"):
            os.kill(os.getpid(), 9)
        return super().fit(hp, model, *args, **kwargs)


def test_a_process_that_always_ends_in_its_first_trial_ends_that_trial_alone(tmp_path):
    tuner = tuner_of(tmp_path, max_trials=3, kind=KillingAtOnce)
    tuner.search(verbose=0, trials_per_process=2)
    assert [one.state for one in tuner.results()] == ["FAILED", "COMPLETED", "COMPLETED"]


def test_a_script_without_its_guard_is_told_so_also_with_much_data(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import numpy as np\n"
        "from kerasopt.tuning import search\n"
        "from tests.tuning.test_tuner import build\n"
        "search(build, np.zeros((9000, 12)), np.zeros(9000), max_trials=2, workers=2)\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert 'put it under `if __name__ == "__main__":`' in done.stderr


def test_a_process_for_some_trials_each(tmp_path):
    tuner = tuner_of(tmp_path, max_trials=4, sampler="random")
    tuner.search(verbose=0, trials_per_process=2)
    by_process = collections.Counter(pid for what, pid, _ in notes(tmp_path) if what == "end")
    assert sorted(by_process.values()) == [2, 2]


class Broken(Slow):
    def fit(self, hp, model, *args, **kwargs):
        raise ValueError("a shape of the user's own")


def test_an_error_of_all_trials_reaches_who_asked(tmp_path):
    tuner = tuner_of(tmp_path, max_trials=8, sampler="random", kind=Broken)
    with pytest.raises(RuntimeError, match="a shape of the user's own"):
        tuner.search(verbose=0, workers=2)


def local_build():
    def build(hp):
        return Slow("", 0.0).build(hp)

    return build


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: Tuner(lambda hp: Slow("", 0).build(hp), "loss", directory=folder),
         "hypermodel.*not as lambdas"),
        (lambda folder: Tuner(local_build(), "loss", directory=folder), "functions of a module"),
        (lambda folder: Tuner(Slow("", 0), "loss", directory=folder, storage="memory"),
         "processes cannot share"),
        (lambda folder: Tuner(Slow("", 0), directory=folder,
                              oracle=keras_tuner.oracles.RandomSearchOracle("loss", 2)),
         "KerasTuner's own"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_a_process_is_started(make, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        make(tmp_path).search(workers=2, verbose=0)


def test_callbacks_and_data_that_cannot_be_sent(tmp_path):
    tuner = tuner_of(tmp_path)
    with pytest.raises(ValueError, match="`callbacks`"):
        tuner.search(callbacks=lambda: [*()], workers=2, verbose=0)
    with pytest.raises(ValueError, match="argument 1 of search"):
        tuner.search((one for one in [np.ones(3)]), workers=2, verbose=0)
