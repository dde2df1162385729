"""`import kerasopt` is light, and every room is reached from it."""

import subprocess
import sys

import pytest

import kerasopt


def modules_after(statement):
    script = (
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_package_is_the_command_too():
    command = [sys.executable, "-m", "kerasopt", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"kerasopt, version {kerasopt.__version__}\n"


def test_the_door_imports_nothing_heavy():
    loaded = modules_after("import kerasopt")
    heavy = {"tensorflow", "keras", "numpy", "scipy", "sklearn", "matplotlib", "rich", "click"}
    assert "kerasopt" in loaded
    assert not loaded & heavy


@pytest.mark.parametrize("room", ["schedules", "stopping"])
def test_pure_rooms_need_no_keras(room):
    script = f"from kerasopt import {room}; {room}.__name__"
    loaded = modules_after(script)
    assert "kerasopt" in loaded
    assert "tensorflow" not in loaded
    assert "keras" not in loaded


def test_files_are_read_without_keras():
    loaded = modules_after(
        "from kerasopt.export import Inspection, benchmark, inspect, snippet, to_c_array"
    )
    assert "kerasopt" in loaded
    assert not loaded & {"tensorflow", "keras", "scipy", "sklearn"}


def test_no_extra_is_imported_before_it_is_used():
    loaded = modules_after("import kerasopt; [getattr(kerasopt, room) for room in kerasopt._ROOMS]")
    extras = {"sklearn", "matplotlib", "keras_tuner", "optuna", "tensorflow_model_optimization"}
    assert "keras" in loaded
    # Keras itself imports scikit-learn where it finds it, for `keras.wrappers`.
    assert not loaded & extras - modules_after("import keras")


def test_rooms_are_reached_from_the_door():
    assert kerasopt.callbacks.Pruning is kerasopt.callbacks.Pruning
    assert kerasopt.layers.ScheduledDropout.__module__.startswith("kerasopt")
    assert callable(kerasopt.load_model)
    assert {"export", "layers", "load_model"} <= set(dir(kerasopt))
    with pytest.raises(AttributeError, match="no attribute 'prunning'"):
        _ = kerasopt.prunning
