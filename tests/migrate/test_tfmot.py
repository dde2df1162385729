"""Models of tfmot as plain Keras 3 models."""

import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from kerasopt.callbacks import Pruning
from kerasopt.migrate import MigrationError, from_tfmot
from kerasopt.pruning import sparsity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("tf_keras", reason="tfmot is not installed")
    path = tmp_path_factory.mktemp("tfmot")
    script = Path(__file__).with_name("make.py")
    subprocess.run([sys.executable, script, path], check=True, capture_output=True)
    return path


def stored(path, layer, weight):
    """Read a weight from a Keras 2 file without any of the libraries."""
    found = []
    with h5py.File(path) as file:
        file["model_weights"].visititems(
            lambda name, item: (
                found.append(np.array(item))
                if isinstance(item, h5py.Dataset) and f"/{layer}/{weight}:0" in f"/{name}"
                else None
            )
        )
    return found[0]


@pytest.mark.parametrize("name", ["plain.h5", "plain.keras", "branches.h5"])
def test_plain_models(folder, name):
    model = from_tfmot(folder / name)
    assert isinstance(model, keras.Model)
    if name == "plain.h5":
        np.testing.assert_array_equal(
            model.get_layer("conv").kernel, stored(folder / name, "conv", "kernel")
        )
        assert type(model.get_layer("depth")) is keras.layers.DepthwiseConv2D
    model.save(folder / "again.keras")
    keras.saving.load_model(folder / "again.keras")


@pytest.mark.parametrize("name", ["pruned.h5", "pruned_branches"])
def test_pruned_models_keep_their_zeros_and_can_be_trained_on(folder, name):
    model = from_tfmot(folder / name)
    found = {row.path: row.sparsity for row in sparsity(model).rows}
    assert found["top/kernel" if name == "pruned.h5" else "d/kernel"] == pytest.approx(
        0.5, abs=0.02
    )
    model.compile("sgd", "mse")
    x = [np.ones((4, *one.shape[1:])) for one in model.inputs]
    y = [np.ones((4, *one.shape[1:])) for one in model.outputs]
    model.fit(x, y, callbacks=[Pruning("keep")], verbose=0)
    assert {row.path: row.sparsity for row in sparsity(model).rows} == found


def test_clustered_models_keep_their_clusters(folder):
    model = from_tfmot(folder / "clustered")
    assert len(np.unique(model.get_layer("top").kernel)) <= 4


def test_what_cannot_be_read(folder, tmp_path):
    with pytest.raises(ValueError, match="`model`.*exists"):
        from_tfmot(tmp_path / "nothing.h5")
    (tmp_path / "broken.h5").write_bytes(b"no model")
    with pytest.raises(MigrationError, match=r"cannot read the model.*broken\.h5"):
        from_tfmot(tmp_path / "broken.h5")
    with pytest.raises(TypeError, match="Keras 3 already"):
        from_tfmot(keras.Sequential([keras.Input((2,))]))
    with pytest.raises(TypeError, match="`model`"):
        from_tfmot(3)
