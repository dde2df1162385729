"""`kerasopt shrink`."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers

from kerasopt.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("files")
    model = keras.Sequential([
        keras.Input((6, 6, 1)), layers.Conv2D(32, 3, activation="relu", name="conv"),
        layers.Flatten(), layers.Dense(4, activation="softmax", name="top"),
    ])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(where / "model.keras")
    rng = np.random.default_rng(0)
    np.save(where / "x.npy", rng.random((64, 6, 6, 1)).astype("float32"))
    np.save(where / "y.npy", rng.integers(0, 4, 64))
    return where


def run(folder, *arguments):
    there = [str(folder / one) if "." in one[1:] and "=" not in one and not one[0].isdigit()
             else one for one in arguments]  # fmt: skip
    return CliRunner().invoke(main, ["shrink", *there])


def test_a_smaller_model(folder):
    done = run(folder, "model.keras", "-o", "small.keras", "--pruning-ratio", "0.5")
    assert done.exit_code == 0, done.output
    assert "conv" in done.output
    small = keras.saving.load_model(folder / "small.keras")
    assert small.get_layer("conv").filters == 16


def test_a_smaller_model_beside_the_model_or_in_a_new_folder(folder):
    done = run(folder, "model.keras", "--pruning-ratio", "0.5")
    assert done.exit_code == 0, done.output
    assert "model-small.keras" in done.stderr
    assert keras.saving.load_model(folder / "model-small.keras").get_layer("conv").filters == 16
    assert run(folder, "model.keras", "-o", "new/s.keras", "--pruning-ratio", "0.5").exit_code == 0
    assert (folder / "new" / "s.keras").exists()


def test_a_plan_writes_nothing(folder):
    done = run(folder, "model.keras", "--budget", "macs=0.25", "--plan", "--json")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["groups"][0]["after"] == 8
    assert not list(folder.glob("*plan*"))


def test_it_prints_nothing_but_the_plan(folder):
    loud = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "kerasopt.cli", "shrink", "model.keras", "--plan"]
    done = subprocess.run(
        [*command, "--pruning-ratio", "0.5"], cwd=folder, env=loud, text=True, capture_output=True,
        check=True, timeout=600,
    )  # fmt: skip
    assert done.stdout.startswith("channels of")
    assert done.stderr == ""


def test_ratios_by_layer(folder):
    done = run(folder, "model.keras", "--plan", "--json", "--pruning-ratio", "conv=0.75")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["groups"][0]["after"] == 8


def test_kernels_that_make_up_for_what_goes(folder):
    arguments = ["model.keras", "--pruning-ratio", "0.5", "--data", "x.npy"]
    for name, more in (("copied", []), ("made", ["--reconstruct"])):
        done = run(folder, *arguments, "-o", f"{name}.keras", *more)
        assert done.exit_code == 0, done.output
    copied, made = (
        keras.saving.load_model(folder / f"{name}.keras").get_layer("top").kernel
        for name in ("copied", "made")
    )
    assert copied.shape == made.shape
    assert np.abs(np.array(copied) - np.array(made)).max() > 1e-3
    done = run(folder, "model.keras", "--pruning-ratio", "0.5", "--plan", "--reconstruct")
    assert done.exit_code != 0
    assert "--data x.npy" in done.output


def test_criteria_that_need_data(folder):
    arguments = ["model.keras", "-o", "t.keras", "--pruning-ratio", "0.5", "--importance", "taylor"]
    done = run(folder, *arguments, "--data", "x.npy", "--labels", "y.npy")
    assert done.exit_code == 0, done.output
    done = run(folder, *arguments)
    assert done.exit_code == 2
    assert "`data`" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["model.keras", "-o", "small.h5", "--pruning-ratio", "0.5"], "ends in .keras"),
        (
            ["model.keras", "-o", "x.npy/small.keras", "--pruning-ratio", "0.5"],
            "a folder that exists",
        ),
        (["model.keras", "-o", "small.keras"], "either `pruning_ratio` or `budget`"),
        (["model.keras", "--plan", "--pruning-ratio", "2"], "[0, 1)"),
        (["model.keras", "--plan", "--budget", "macs"], "macs=0.5"),
        (
            ["model.keras", "--plan", "-o", "small.keras", "--pruning-ratio", "0.5"],
            "writes nothing",
        ),
        (["model.keras", "--plan", "--pruning-ratio", "0.5", "--labels", "y.npy"], "--data"),
        (["model.keras", "--plan", "--pruning-ratio", "conv=half"], "LAYER=0.5"),
        (["model.keras", "--plan", "--pruning-ratio", "0.5", "--include", "cnv"], "conv"),
        (["missing.keras", "--plan", "--pruning-ratio", "0.5"], "missing.keras"),
    ],
)
def test_mistakes_end_with_two_and_no_trace(folder, arguments, said):
    done = run(folder, *arguments)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output
