import subprocess

import keras
import pytest

from kerasopt.export import keras_latency
from kerasopt.export.runtime.keras_latency import time_model


def test_in_this_process(two_inputs):
    latency = time_model(two_inputs, seconds=0.05, runs=20)
    assert latency.runs <= 20
    assert 0 < latency.median_ms <= latency.p95_ms


def test_in_a_process_of_its_own(dense, tmp_path):
    path = tmp_path / "model.keras"
    dense.save(path)
    latency = keras_latency(path, seconds=0.1)
    assert latency.threads == latency.batch == 1
    assert 0 < latency.median_ms <= latency.p95_ms


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="something else"):
        keras_latency(path)


def test_a_child_that_fails_says_why(dense, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    dense.save(path)
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="chatter\nTypeError: no class X")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(RuntimeError, match="could not be timed: TypeError: no class X"):
        keras_latency(path)


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        keras_latency(tmp_path / "missing.keras")
    with pytest.raises(TypeError, match="`path`"):
        keras_latency(keras.Sequential())
    with pytest.raises(ValueError, match="`threads`"):
        keras_latency(tmp_path / "missing.keras", threads=0)
