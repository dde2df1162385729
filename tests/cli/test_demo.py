"""`kerasopt demo` as a user runs it: a process, its output, its files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from kerasopt.cli.demo import digits
from kerasopt.cli.main import main

FILES = {
    "model.keras",
    "model-float32.tflite",
    "model-int8.tflite",
    "report.json",
    "training.png",
}


def kerasopt(*arguments, cwd, **environment):
    command = [sys.executable, "-m", "kerasopt.cli", *arguments]
    variables = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**variables, **environment},
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return kerasopt("demo", cwd=folder, COLUMNS="100"), folder / "kerasopt-demo"


@pytest.mark.slow
def test_it_succeeds_and_says_where_everything_is(demo):
    done, folder = demo
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == FILES
    for name in (*FILES, "kerasopt-demo", "Keras model", "TFLite float32", "TFLite int8"):
        assert name in done.stdout
    for column in ("accuracy", "sparsity", "bytes", "zipped", "1 thread"):
        assert column in done.stdout


@pytest.mark.slow
def test_progress_is_visible_and_tensorflows_noise_is_not(demo):
    done, _ = demo
    assert done.stdout.count("val_loss:") > 10  # a line an epoch
    assert done.stderr == ""


@pytest.mark.slow
def test_the_figures_are_good_and_those_of_the_files(demo):
    _, folder = demo
    report = json.loads((folder / "report.json").read_text())
    models = report["models"]
    assert set(models) == {"keras", "float32", "int8"}
    assert all(one["accuracy"] >= 0.88 for one in models.values())
    assert abs(models["int8"]["accuracy"] - models["float32"]["accuracy"]) <= 0.01
    assert models["keras"]["sparsity"] == pytest.approx(0.8, abs=1e-3)
    assert models["float32"]["sparsity"] == pytest.approx(0.8, abs=1e-3)
    assert models["int8"]["sparsity"] >= models["float32"]["sparsity"]
    for mode in ("float32", "int8"):
        file = folder / f"model-{mode}.tflite"
        assert models[mode]["bytes"] == file.stat().st_size
        assert models[mode]["zipped_bytes"] < models[mode]["bytes"]
    assert all(one["latency_ms"] > 0 for one in models.values())
    assert models["int8"]["slower_than_float32"] in (True, False)
    assert models["int8"]["zipped_bytes"] * 5 < models["float32"]["bytes"]
    assert report["training"]["history"]["sparsity"][-1] == pytest.approx(0.8, abs=1e-3)


@pytest.mark.slow
def test_the_files_give_the_accuracy_of_the_table(demo):
    from ai_edge_litert.interpreter import Interpreter

    _, folder = demo
    models = json.loads((folder / "report.json").read_text())["models"]
    x, y = digits().part("test")
    assert len(x) == 397
    model = keras.models.load_model(folder / "model.keras")
    right = (model.predict(x, verbose=0).argmax(-1) == y).mean()
    assert models["keras"]["accuracy"] == pytest.approx(right)
    interpreter = Interpreter(str(folder / "model-int8.tflite"))
    run = interpreter.get_signature_runner()
    classes = [run(pixels=image[np.newaxis])["class"].argmax() for image in x]
    assert models["int8"]["accuracy"] == pytest.approx((np.array(classes) == y).mean())


def test_the_digits_are_split_in_order():
    data = digits()
    assert data.images.shape == (1797, 8, 8, 1)
    assert data.images.max() == 16
    parts = [data.part(which) for which in ("train", "validation", "test")]
    assert [len(x) for x, _ in parts] == [1200, 200, 397]
    assert np.array_equal(np.concatenate([y for _, y in parts]), data.labels)


@pytest.mark.parametrize("output", ["file", "file/below", "/proc/demo"])
def test_a_folder_that_cannot_be_written_is_exit_2_without_a_traceback(tmp_path, output):
    (tmp_path / "file").write_text("in the way")
    target = output if output.startswith("/") else str(tmp_path / output)
    result = CliRunner().invoke(main, ["demo", "--output", target])
    assert result.exit_code == 2
    assert "Cannot write to the folder" in result.output
    assert "--output" in result.output
    assert "Traceback" not in result.output


def test_a_read_only_folder(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    result = CliRunner().invoke(main, ["demo", "--output", str(folder)])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["demo", "--dataset", "cifar"], ["demo", "--epochs", "0"], ["dmeo"]]
)
def test_wrong_usage_is_exit_2(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_fashion_mnist_without_network_or_cache_says_what_to_do(tmp_path, monkeypatch):
    def offline():
        raise OSError("no route to host")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", offline)
    result = CliRunner().invoke(
        main, ["demo", "--dataset", "fashion_mnist", "-o", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "no route to host" in result.output
    assert "KERAS_HOME" in result.output
    assert "Traceback" not in result.output


def test_the_version(tmp_path):
    done = kerasopt("--version", cwd=Path.cwd())
    assert done.stdout.startswith("kerasopt, version 0.")
