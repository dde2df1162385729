"""The process that makes files: what comes of it when it dies."""

import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import ExportError, benchmark, inspect, to_tflite
from kerasopt.export.convert.converter import Saved, Traced
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.signature import signature_of
from kerasopt.export.process import server
from kerasopt.export.process.client import WORKER, CrashError, RefusedError, Worker


@pytest.fixture
def worker():
    one = Worker()
    yield one
    one.close()


def killed_at_work(worker, patch):
    """Let the process be killed when it is asked, whatever it is asked: no model does that here."""
    exchange = worker._exchange

    def killed(process, question):
        process.kill()
        return exchange(process, question)

    patch.setattr(worker, "_exchange", killed)


def test_a_crash_of_the_calibrator_is_an_error_and_not_the_end(dense, rows):
    signature = signature_of(dense, None)
    samples = read("calibration", rows, signature.inputs)
    with Saved(Traced(dense, signature), signature, samples) as saved:
        with pytest.MonkeyPatch.context() as patch:
            killed_at_work(WORKER, patch)
            with pytest.raises(
                ExportError, match=r"crashed in mode 'int8' \(SIGKILL\).*unroll=True"
            ):
                saved.convert("int8")
        assert saved.convert("int8")  # another one has begun


def test_a_file_that_ends_the_process_that_loads_it_is_an_error(dense, monkeypatch):
    file = to_tflite(dense).bytes
    with monkeypatch.context() as patch:
        killed_at_work(WORKER, patch)
        for ask in (inspect, benchmark):
            with pytest.raises(ValueError, match=r"`file`.*ends the process that loads it"):
                ask(file)
    assert inspect(file).contents.ops["FULLY_CONNECTED"] == 1


def test_killed_while_it_works(worker, tmp_path):
    with pytest.raises(RefusedError, match="No such file"):
        worker.ask("load", tmp_path)
    first = worker._process.pid
    with pytest.MonkeyPatch.context() as patch:
        killed_at_work(worker, patch)
        with pytest.raises(CrashError, match="SIGKILL"):
            worker.ask("load", tmp_path)
    with pytest.raises(RefusedError, match="No such file"):
        worker.ask("load", tmp_path)
    assert worker._process.pid != first


def test_what_takes_too_long_is_ended(worker, tmp_path):
    with pytest.raises(RefusedError):
        worker.ask("load", tmp_path)
    worker._process.send_signal(signal.SIGSTOP)
    with pytest.raises(CrashError, match="took too long"):
        worker.ask("load", tmp_path, limit=0.1)


def test_one_that_ended_because_it_was_idle_is_begun_again(worker, tmp_path):
    with pytest.raises(RefusedError):
        worker.ask("load", tmp_path)
    first = worker._process
    first.stdin.close()  # it ends without an error, as it does when it is idle
    first.wait()
    with pytest.raises(RefusedError):
        worker.ask("load", tmp_path)
    assert worker._process is not first


def test_after_ctrl_c_no_old_answer_comes(worker, tmp_path, monkeypatch):
    with pytest.raises(RefusedError):
        worker.ask("load", tmp_path)
    first = worker._process

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "_exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.ask("load", tmp_path)
    assert first.returncode == -signal.SIGKILL


def test_an_idle_child_ends_by_itself_and_so_does_an_orphan():
    code = "from kerasopt.export.process import server; server.IDLE_SECONDS = 0.2; server.main()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.wait() == 0
    orphan = subprocess.run(
        [sys.executable, "-c", code.replace("0.2", "1e6")], input=b"", check=False
    )
    assert orphan.returncode == 0


def test_every_task_answers_or_says_what_is_wrong(tmp_path):
    for task in server.TASKS:
        reply = server.answer({"task": task, "folder": str(tmp_path)})
        assert reply.keys() == {"error", "type"}


def test_nothing_of_the_child_reaches_the_terminal(rng):
    script = (
        "import keras, numpy as np\n"
        "from kerasopt.export import to_tflite\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(300)])\n"
        "to_tflite(model, mode='int8', calibration=np.random.rand(200, 4).astype('f4'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "WARNING" not in done.stderr.replace("WARNING: All log messages before absl", "")


def test_calibration_of_several_shapes_arrives_by_name(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((None, 2), name="b"), keras.Input((None, 2), name="a")]
    both = keras.layers.Concatenate(1)([100.0 * inputs[0], inputs[1]])
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(keras.layers.Dense(8)(both)))
    rng = np.random.default_rng(0)
    parts = [{"a": rng.random((60, n, 2)), "b": rng.random((60, n, 2))} for n in (3, 5)]
    # The larger input leaves little of the other one, which is not the subject here.
    made = to_tflite(
        model, mode="int8", calibration=parts, validation_data=parts[:1], least_variance=-1e6
    )
    assert made.report.sqnr_db > 20


def test_looking_into_a_file_takes_no_tensorflow():
    code = (
        "import kerasopt.export.process.server, kerasopt.export.runtime.interpreter, sys; "
        "print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_inputs_and_outputs_with_names_of_numpys_arguments(rows):
    """What goes to the process is written by name."""
    file, other = keras.Input((4,), name="file"), keras.Input((4,), name="allow_pickle")
    outputs = {"file": layers.Dense(2)(file), "path": layers.Dense(2)(other)}
    model = keras.Model([file, other], outputs)
    report = to_tflite(model, None, "int8", calibration={"file": rows, "allow_pickle": rows}).report
    assert [one.name for one in report.inputs] == ["file", "allow_pickle"]
    assert set(report.agreement) == {"file", "path"}
