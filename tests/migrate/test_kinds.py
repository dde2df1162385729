"""Every layer of Keras 2 that Keras 3 has gives the same numbers there; the others are named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kerasopt
from kerasopt._core.keras2 import ABSENT, GoneError, hard_sigmoid_of_keras_2, modern
from kerasopt.migrate import MigrationError
from kerasopt.migrate.tfmot import _compare, rebuilt

pytestmark = pytest.mark.slow

REFUSED = {
    "LocallyConnected1D": "no such layer",
    "OpLambda": "operation of TensorFlow",
    "RandomCrop": "shape",  # Keras 3 crops in training alone, Keras 2 always
    "RandomHeight": "use RandomZoom",
    "RandomWidth": "use RandomZoom",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One process of Keras 2 makes a model of each kind."""
    pytest.importorskip("tf_keras", reason="tfmot is not installed")
    path = tmp_path_factory.mktemp("kinds")
    script = Path(__file__).with_name("kinds.py")
    root = str(Path(kerasopt.__file__).parents[1])
    subprocess.run(
        [sys.executable, script, path], check=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    return path


def test_all_kinds_of_layers(folder):
    kinds = sorted(one.name for one in folder.iterdir() if one.is_dir())
    assert len(kinds) > 100
    wrong = {}
    for kind in kinds:
        try:
            model = rebuilt(folder / kind)
        except MigrationError as error:
            wrong[kind] = str(error)
        else:
            assert isinstance(model, keras.Model)
    assert set(wrong) == set(REFUSED), wrong
    for kind, said in REFUSED.items():
        assert said in wrong[kind]
        assert "Expected" not in wrong[kind]


def test_load_model_loads_them_too(folder, tmp_path):
    with pytest.warns(UserWarning, match=r"Compiled\.h5 is loaded without being compiled"):
        model = kerasopt.load_model(folder / "Compiled.h5")
    assert not model.compiled
    assert model.layers[-1].activation is hard_sigmoid_of_keras_2
    model.save(tmp_path / "again.keras")
    kerasopt.load_model(tmp_path / "again.keras")
    assert type(kerasopt.load_model(folder / "SeparableConv2D.h5").layers[0]) is (
        keras.layers.SeparableConv2D
    )
    with pytest.raises(GoneError, match="LocallyConnected1D 'locally_connected1d'"):
        kerasopt.load_model(folder / "LocallyConnected1D.h5")


def test_load_model_loads_archives_of_keras_2(folder, tmp_path):
    kinds = sorted(one.stem for one in folder.glob("*.keras"))
    assert len(kinds) == 19
    for kind in kinds:
        path = folder / f"{kind}.keras"
        if kind == "LocallyConnected1D":
            with pytest.raises(GoneError, match="LocallyConnected1D 'locally_connected1d'"):
                kerasopt.load_model(path)
            continue
        before = path.read_bytes()
        model = kerasopt.load_model(path)
        assert path.read_bytes() == before
        assert model.compiled == (kind == "WithObjects")
        if kind == "Words":
            found = model(keras.ops.convert_to_tensor(np.array([["c b"], ["d a"]])))
            np.testing.assert_allclose(found, np.load(folder / "words.npy"), atol=1e-6)
            continue
        with np.load(folder / kind / "check.npz", allow_pickle=False) as arrays:
            _compare(model, dict(arrays))
    path = folder / "WithObjects.keras"
    model = kerasopt.load_model(path)
    assert model.optimizer.momentum == 0.5
    assert model.optimizer.get_config()["learning_rate"]["config"]["initial_learning_rate"] == 0.125
    results = model.evaluate(np.ones((4, 6)), [np.ones((4, 6)), np.ones((4, 9))], verbose=0)
    assert len(results) == 5
    # Unpacked, and with an optimizer that Keras 3 does not have.
    shutil.unpack_archive(path, tmp_path / "folder", "zip")
    config = tmp_path / "folder" / "config.json"
    config.write_text(config.read_text().replace('"SGD"', '"Gone"'))
    with pytest.warns(UserWarning, match=r"folder is loaded without being compiled.*Gone") as seen:
        again = kerasopt.load_model(tmp_path / "folder")
    assert seen[0].filename == __file__
    assert not again.compiled
    for mine, its in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert not kerasopt.load_model(path, compile=False).compiled


def test_the_file_stays_as_it_was(folder):
    path = folder / "Conv2DTranspose.h5"
    before = path.read_bytes()
    kerasopt.load_model(path)
    assert path.read_bytes() == before


def test_arguments_that_are_gone_are_refused_with_another_value():
    layer = {"class_name": "LSTM", "config": {"name": "l", "units": 2, "time_major": True}}
    with pytest.raises(GoneError, match="LSTM 'l': Keras 3 has no time_major=True, only False"):
        modern([layer])
    config = {"name": "c", "filters": 2, "kernel_size": 3, "groups": 2}
    assert modern({"class_name": "Conv2D", "config": config})["config"] == config
    with pytest.raises(GoneError, match="groups=2"):
        modern({"class_name": "SeparableConv2D", "config": config})


def test_what_is_absent_is_absent():
    assert not [name for name in ABSENT if hasattr(keras.layers, name)]


def test_the_sigmoid_of_keras_2():
    x = np.linspace(-4, 4, 9, dtype="float32")
    expected = np.clip(0.2 * x + 0.5, 0, 1)
    np.testing.assert_allclose(hard_sigmoid_of_keras_2(x), expected, atol=1e-6)
