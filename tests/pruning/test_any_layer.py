"""Whatever has a kernel is pruned in `fit`: also what tfmot rejects."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt._core import fit_state
from kerasopt.callbacks import Pruning
from kerasopt.pruning import sparsity
from kerasopt.schedules import PolynomialDecay
from tests.pruning.shapes import blocks, is_of_blocks, is_two_of_four, mask_matrices

SERIES, IMAGE, FILM, FLAT = (6, 8), (8, 8, 4), (3, 6, 6, 2), (8,)


@keras.saving.register_keras_serializable("tests")
class Gated(layers.Layer):
    """A layer of one's own with two kernels, in no list of anybody."""

    def build(self, shape):
        self.gate = self.add_weight(shape=(shape[-1], shape[-1]), name="gate")
        self.inner = layers.Dense(shape[-1])
        self.inner.build(shape)

    def call(self, inputs):
        return self.inner(inputs) * keras.ops.sigmoid(inputs @ self.gate)


class Subclassed(keras.Model):
    """A model without a graph."""

    def __init__(self):
        super().__init__()
        self.first = Gated()
        self.block = keras.Sequential([layers.Dense(16, "relu"), layers.Dense(8)])

    def call(self, inputs):
        return self.block(self.first(inputs))


def nested():
    inner = keras.Sequential([keras.Input(FLAT), layers.Dense(16, "relu"), layers.Dense(8)])
    inputs = keras.Input(FLAT)
    return keras.Model(inputs, inner(inputs) + inputs)


def normalized():
    return keras.Sequential(
        [
            keras.Input(IMAGE),
            layers.Conv2D(8, 3),
            layers.GroupNormalization(4),
            layers.UnitNormalization(),
            layers.SpectralNormalization(layers.Conv2D(4, 3)),
        ]
    )


LAYERS = {
    "Bidirectional": (lambda: layers.Bidirectional(layers.LSTM(4)), SERIES, 4),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Conv2D(4, 3)), FILM, 1),
    "EinsumDense": (lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 4)), SERIES, 1),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(4, 3), SERIES, 1),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(4, 2), FILM, 1),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(3, 2), FILM, 2),
    "StackedRNNCells": (lambda: layers.RNN([layers.GRUCell(3), layers.GRUCell(4)]), SERIES, 4),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(4, 3), IMAGE, 2),
    "Gated": (Gated, FLAT, 2),
}
MODELS = {"nested": (nested, FLAT, 2), "Subclassed": (Subclassed, FLAT, 4),
          "normalized": (normalized, IMAGE, 2)}  # fmt: skip


def made(name):
    if name in MODELS:
        make, shape, kernels = MODELS[name]
        return make(), shape, kernels
    make, shape, kernels = LAYERS[name]
    return keras.Sequential([keras.Input(shape), make()]), shape, kernels


@pytest.mark.parametrize("name", [*LAYERS, *MODELS])
@pytest.mark.parametrize("pattern", ["weight", "2:4", "block_2x2"])
@pytest.mark.filterwarnings("ignore:Pruning. .* does not divide")
def test_every_kernel_is_pruned_to_one_weight(name, pattern, tmp_path):
    model, shape, kernels = made(name)
    x = np.random.default_rng(0).normal(size=(16, *shape)).astype("float32")
    y = np.ones_like(model(x))
    model.compile("adam", "mse")
    schedule = PolynomialDecay(0.0, 0.5, begin=0, end=3)
    pruning = Pruning(schedule, include="*", frequency=1, pattern=pattern, scope="layer")
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[pruning])
    rows = sparsity(model).rows
    matrices = mask_matrices(pruning)
    assert len(rows) == len(matrices) == kernels
    if pattern == "weight":
        for row in rows:
            assert row.zeros == row.parameters - max(round(row.parameters * 0.5), 1)
    elif pattern == "2:4":
        assert all(0.3 <= row.sparsity <= 0.5 for row in rows)
        assert all(is_two_of_four(matrix) for matrix in matrices.values())
    else:
        for matrix in matrices.values():
            assert is_of_blocks(matrix)
            kept = [block.all() for block in blocks(matrix)]
            assert sum(kept) == max(round(len(kept) * 0.5), 1)
    assert not any(fit_state.own(v, "constraint") for v in model.trainable_variables)
    if name != "Subclassed":
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(again(x), model(x))


def test_what_is_left_out_is_listed_once_with_the_reason(capsys):
    model, shape, _ = made("normalized")
    model.layers[0].trainable = False
    x = np.zeros((8, *shape), "float32")
    model.compile("sgd", "mse")
    pruning = Pruning(0.5, verbose=1, scope="layer")
    with pytest.warns(UserWarning, match="leaves out frozen layers"):
        model.fit(x, model(x), epochs=3, verbose=0, callbacks=[pruning])
    first, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("Pruning: 1 kernel; left out: ")
    assert "group_normalization" in first
    assert "(no kernels)" in first
    assert "conv2d" in first
    assert first.endswith("(frozen)")
    table = sparsity(model)
    assert str(table).splitlines()[-1].startswith("left out: group_normalization")
    assert list(table.to_dict()["left_out"].values()).count("no kernels") == len(table.left_out)
