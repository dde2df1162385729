"""`kerasopt tune` and `kerasopt tune status`: searches, processes that join, mistakes."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import optuna
import pytest
from click.testing import CliRunner

from kerasopt.cli.main import main
from kerasopt.cli.tune_settings import COMMAND
from kerasopt.tuning.oracle.heartbeat import owner
from kerasopt.tuning.storage.records import OWNER
from kerasopt.tuning.storage.storages import open_storage

MODELS = """
import keras
import keras_tuner
import numpy as np

number = 3


def build(hp):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(hp.Int("units", 2, 9)), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=True)
    return model


def data():
    x = np.random.default_rng(0).random((40, 4)).astype("float32")
    return x, x.sum(1)


def divided():
    x, y = data()
    return (x[:30], y[:30]), (x[30:], y[30:])


def as_arguments():
    (x, y), held = divided()
    return {"x": x, "y": y, "validation_data": held, "epochs": 2, "batch_size": 10}


class Tell(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("it trains")


def told():
    return {**as_arguments(), "callbacks": [Tell()]}


def no_data():
    raise OSError("the disk is away")


def three():
    return 1, 2, 3


class Hyper(keras_tuner.HyperModel):
    objective = ("val_mae", "min")

    def build(self, hp):
        return build(hp)


hyper = Hyper()


def make():
    return Hyper()


def broken(hp):
    return undefined


def none(hp):
    hp.Int("units", 2, 9)


def late(hp):
    # The search space is read with the defaults; what trials do comes later.
    if hp.Int("units", 2, 9) > 2:
        raise ArithmeticError("too many units")
    model = build(hp)
    model.compile("adam", Loss())
    return model


class Loss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        raise ArithmeticError("no loss today")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("tune")
    (where / "tuned.py").write_text(MODELS)
    x = np.random.default_rng(0).random((40, 4)).astype("float32")
    np.savez(where / "xy.npz", x=x, y=x.sum(1), x_val=x[:9], y_val=x[:9].sum(1))
    np.savez(where / "x.npz", x=x)
    np.savez(where / "pickled.npz", x=np.array([{}]), y=np.array([{}]))
    (where / "empty.py").write_text("build = lambda hp: None\n")
    (where / "wrong.py").write_text("import no_such_package\n")
    (where / "unclosed.py").write_text("def build(hp:\n")
    (where / "shadow").mkdir()
    (where / "shadow" / "json.py").write_text("def build(hp): pass\n")
    (where / "text.log").write_text("not a\njournal")
    return where


@pytest.fixture
def tune(folder, tmp_path, monkeypatch):
    """Call the command in this process; what it imports stays until the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    here = str(folder) + os.sep

    def call(*arguments):
        there = [re.sub("^@", here, str(one)) for one in arguments]
        return CliRunner().invoke(main, ["tune", *there])

    return call


def begin(folder, *arguments):
    """Begin a process."""
    command = [sys.executable, "-m", "kerasopt.cli", "tune", *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.getcwd()}
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip


def status(tune, *arguments):
    done = tune("status", "--json", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_search_its_status_and_how_it_goes_on(tune, tmp_path):
    arguments = ["--epochs", 1, "--seed", 0, "--objective", "val_mae"]
    done = tune("@tuned.py:build", "--max-trials", 2, "-o", "report", *arguments)
    assert done.exit_code == 0, done.output
    journal = str(tmp_path / "search" / "journal.log")
    for said in (journal, f"--storage {journal} --worker", "tune status", "optuna-dashboard"):
        assert said in done.stdout
    assert "trial 0001 (2/2) | val_mae" in done.stdout
    assert "2 trials: 2 completed" in done.stdout
    assert "report/report.md" in done.stdout
    assert (tmp_path / "report" / "trials.csv").is_file()
    found = status(tune)
    assert found["trials"] == {"COMPLETED": 2}
    assert found["max_trials"] == 2
    assert found["objectives"] == [["val_mae", "min"]]
    assert found["best"]["values"]["units"] in range(2, 10)
    assert found["running"] == found["failed"] == []

    # What is left out is as it was.
    done = tune("@tuned.py:build", "--max-trials", 3, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert [one["id"] for one in result["trials"]] == ["0000", "0001", "0002"]
    assert result["objectives"] == [["val_mae", "min"]]
    assert "2 of 3 trials have ended before" in done.stderr
    assert "trial 0002 (3/3)" in done.stderr
    text = tune("status")
    assert text.exit_code == 0, text.output
    assert "3 of 3: 3 completed" in text.stdout
    assert f"{result['best']}   completed" in text.stdout

    # And with --overwrite it is not.
    done = tune("@tuned.py:build", "--max-trials", 1, "--epochs", 1, "--overwrite", "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["trials"]) == 1
    assert status(tune)["objectives"] == [["val_loss", "min"]]


@pytest.mark.parametrize(
    ("hypermodel", "data", "goal"),
    [
        ("@tuned.py:hyper", "@xy.npz", "val_mae"),
        ("tuned:make", "tuned:divided", "val_mae"),
        ("tuned:Hyper", "@tuned.py:as_arguments", "val_mae"),
    ],
)
def test_what_may_be_named(tune, folder, monkeypatch, hypermodel, data, goal):
    monkeypatch.chdir(folder)
    done = tune(hypermodel, "--data", data, "--max-trials", 1, "--epochs", 1, "--json",
                "--directory", "named", "--overwrite")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["objectives"] == [[goal, "min"]]


def test_several_objectives_limits_folds_and_studies(tune):
    done = tune(
        "@tuned.py:build", "--max-trials", 2, "--epochs", 1, "--folds", 2, "--batch-size", 8,
        "--objective", "val_mae", "--objective", "val_loss:min", "--constraint", "val_mae=0..1e-9",
        "--storage", "two.log", "--study-name", "two objectives", "--sampler", "random", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["objectives"] == [["val_mae", "min"], ["val_loss", "min"]]
    assert [len(one["executions"]) for one in result["trials"]] == [2, 2]
    text = tune("status", "--storage", "two.log").stdout
    assert "0 <= val_mae <= 1e-09" in text
    assert "Best so far" in text  # none keeps the limit, so there is no front
    assert "breaks constraints" in text

    done = tune("@tuned.py:build", "--max-trials", 1, "--epochs", 1, "--storage", "two.log")
    assert done.exit_code == 0, done.output
    listed = tune("status", "--storage", "two.log").stdout
    assert "2 studies" in listed
    assert "two objectives" in listed
    found = status(tune, "--storage", "two.log")["studies"]
    assert {one["study"]: one["max_trials"] for one in found} == {"search": 1, "two objectives": 2}
    assert status(tune, "--storage", "two.log", "--study-name", "search")["trials"]
    done = tune("status", "--storage", "two.log", "--study-name", "serch")
    assert done.exit_code == 2
    assert "Did you mean 'search'?" in done.output


def test_the_status_of_what_runs_and_of_what_failed(tune, tmp_path):
    storage = open_storage(tmp_path / "by_hand.log", ".")
    study = optuna.create_study(storage=storage, study_name="by hand")
    here = tune("status", "--storage", "by_hand.log")
    assert here.exit_code == 0, here.output
    assert "trials:      0" in here.stdout
    assert status(tune, "--storage", "by_hand.log")["best"] is None
    study.set_user_attr(COMMAND, {"max_trials": 5})
    running = study.ask()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running.set_user_attr(OWNER, {**owner(), "run": ""})
    study.ask().set_user_attr(OWNER, {**owner(), "pid": ended.pid, "host": "other", "run": ""})
    failed = study.ask()
    failed.set_user_attr("reason", "ValueError: no")
    study.tell(failed, state=optuna.trial.TrialState.FAIL)
    found = status(tune, "--storage", "by_hand.log")
    assert found["trials"] == {"FAILED": 1, "RUNNING": 2}
    assert [one["pid"] for one in found["running"]] == [os.getpid(), ended.pid]
    assert [one["ended"] for one in found["running"]] == [False, True]
    assert all(one["silent_seconds"] >= 0 for one in found["running"])
    assert [one["reason"] for one in found["failed"]] == ["ValueError: no"]
    text = tune("status", "--storage", "by_hand.log").stdout
    for said in ("3 of 5: 1 failed, 2 running", str(os.getpid()), "0002  ValueError: no", " ago",
                 "its process has ended"):  # fmt: skip
        assert said in text


def test_the_status_needs_neither_keras_nor_a_model(tmp_path):
    code = (
        "import sys\nfrom kerasopt.cli.main import main\n"
        "main(['tune', 'status', '--storage', 'a.log'], standalone_mode=False)\n"
        "assert not {'keras', 'tensorflow', 'keras_tuner'} & set(sys.modules)"
    )
    optuna.create_study(storage=open_storage(tmp_path / "a.log", "."), study_name="a")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
    assert "study:       'a'" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "MODULE:BUILD"),
        (["tuned"], "MODULE:NAME"),
        (["no_such_module:build"], "no module 'no_such_module'"),
        (["no_such_module.models:build"], "no module 'no_such_module'"),
        (["@no.py:build"], "no such file"),
        (["@tuned.py:bild"], "Did you mean 'build'?"),
        (["@tuned.py:number"], "`hypermodel`"),
        (["@tuned.py:data"], "takes no arguments"),
        (["@wrong.py:build"], "No module named 'no_such_package' (wrong.py, line 1)"),
        (["@unclosed.py:build"], "unclosed.py, line 1"),
        (["@shadow/json.py:build"], "rename yours"),
        (["@tuned.py:broken"], "NameError: name 'undefined' is not defined (tuned.py, line"),
        (["@tuned.py:none"], "to return a `keras.Model`"),
        (["@empty.py:build"], "Give --data"),
        (["@tuned.py:build", "--data", "xy"], "MODULE:NAME"),
        (["@tuned.py:build", "--data", "no.npz"], "no such file"),
        (["@tuned.py:build", "--data", "@x.npz"], "x and y"),
        (["@tuned.py:build", "--data", "@pickled.npz"], "cannot be read"),
        (["@tuned.py:build", "--data", "@tuned.py:no_data"], "the disk is away (tuned.py, line"),
        (["@tuned.py:build", "--data", "@tuned.py:three"], "`data`"),
        (["@tuned.py:build", "--objective", "val_loss:up"], "NAME:min"),
        (["@tuned.py:build", "--objective", "quality"], "Say it"),
        (["@tuned.py:build", "--objective", "val_accuracy", "--epochs", "1"], "`objective`"),
        (["@tuned.py:build", "--constraint", "bytes"], "`constraint`"),
        (["@tuned.py:build", "--constraint", "bytes=many"], "`constraint`"),
        (["@tuned.py:build", "--sampler", "tpo"], "Did you mean 'tpe'?"),
        (["@tuned.py:build", "--pruner", "ash"], "Did you mean 'asha'?"),
        (["@tuned.py:build", "--max-trials", "0"], "--max-trials"),
        (["@tuned.py:build", "--storage", "memory"], "`storage`"),
        (["@tuned.py:build", "--storage", "no/such/folder.log"], "`storage`"),
        (["@tuned.py:build", "--storage", "@text.log"], "no journal"),
        (["@tuned.py:build", "-o", "@text.log"], "`output`"),
        (["@tuned.py:build", "--worker", "--wait", "0"], "begin the search first"),
        (["@tuned.py:build", "--worker", "--overwrite"], "`overwrite`"),
        (["status"], "No search has been begun there"),
        (["status", "--storage", "no.log"], "No search has been begun there"),
        (["status", "--storage", "sqlite:///no.db"], "No search has been begun there"),
        (["status", "--storage", "@text.log"], "no journal"),
        (["status", "extra"], "extra"),
    ],
)
def test_mistakes_end_with_a_line_and_not_with_a_trace(tune, folder, arguments, said):
    done = tune(*arguments)
    assert done.exit_code == 2, (done.output, done.exception)
    assert said in done.output
    assert "Traceback" not in done.output
    assert (folder / "text.log").read_text() == "not a\njournal"


@pytest.mark.parametrize("command", [["@tuned.py:build"], ["status"]])
def test_a_database_that_is_not_there_is_told_at_once(tune, command):
    url = "postgresql://me:secret@127.0.0.1:9/none"
    done = tune(*command, "--storage", url)
    assert done.exit_code == 2, done.output
    assert "cannot be reached" in done.output
    assert "secret" not in done.output


def test_a_search_that_fails_shows_the_first_error(tune):
    done = tune("@tuned.py:late", "--max-trials", 5, "--epochs", 1)
    assert done.exit_code == 1, done.output
    assert "trials in a row have failed" in done.output
    assert "ArithmeticError: no loss today" in done.output
    found = status(tune)
    assert len(found["failed"]) == 3
    assert "ArithmeticError: too many units" in found["failed"][1]["reason"]


def test_help_calls_it_as_a_user_does(tune):
    done = tune("--help")
    assert done.exit_code == 0
    assert "Usage: kerasopt tune [OPTIONS] MODULE:BUILD" in done.output.replace("main", "kerasopt")
    assert "kerasopt tune status" in done.output


@pytest.mark.slow
def test_a_worker_joins_and_each_trial_is_run_once(folder, tmp_path, tune):
    journal = tmp_path / "shared.log"
    model = folder / "tuned.py"
    # The one that joins may come first: it waits for the other one.
    second = begin(tmp_path, f"{model}:build", "--storage", journal, "--worker")
    first = begin(tmp_path, f"{model}:build", "--storage", journal, "--max-trials", 5,
                  "--epochs", 1, "--objective", "val_mae:min", "--seed", 1)  # fmt: skip
    told = [one.communicate(timeout=600) for one in (first, second)]
    assert [one.returncode for one in (first, second)] == [0, 0], told
    assert "Joined the study 'search'" in told[1][0]
    trials = open_study(journal).trials
    assert [one.state.name for one in trials] == ["COMPLETE"] * 5
    assert {one.user_attrs[OWNER]["pid"] for one in trials} <= {first.pid, second.pid}
    for out, _ in told:
        assert "5 trials: 5 completed" in out
    assert status(tune, "--storage", journal)["trials"] == {"COMPLETED": 5}


@pytest.mark.slow
def test_workers_of_one_command_import_a_file_by_name(folder, tmp_path):
    done = begin(tmp_path, f"{folder / 'tuned.py'}:make", "--max-trials", 3, "--epochs", 1,
                 "--workers", 2, "--json")  # fmt: skip
    out, err = done.communicate(timeout=600)
    assert done.returncode == 0, err
    assert len(json.loads(out)["trials"]) == 3
    trials = open_study(tmp_path / "search" / "journal.log").trials
    assert done.pid not in {one.user_attrs[OWNER]["pid"] for one in trials}


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(folder, tmp_path, tune):
    model = folder / "tuned.py"
    done = begin(tmp_path, f"{model}:build", "--data", f"{model}:told", "--epochs", 10**6)
    for line in done.stdout:
        if line.startswith("it trains"):
            break
    done.send_signal(signal.SIGINT)
    _, err = done.communicate(timeout=600)
    assert done.returncode == 130, err
    assert "goes on with the search" in err
    assert "Traceback" not in err
    assert status(tune)["trials"] == {"WAITING": 1}
    again = tune("@tuned.py:build", "--max-trials", 1, "--epochs", 1)
    assert again.exit_code == 0, again.output
    assert "it trains" in again.stdout  # its data are those of then
    assert status(tune)["trials"] == {"COMPLETED": 1}


def open_study(journal):
    return optuna.load_study(study_name=None, storage=open_storage(journal, "."))
