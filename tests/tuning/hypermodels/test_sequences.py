"""The search spaces of sequences."""

import keras
import numpy as np
import pytest

from kerasopt.tuning.hypermodels import HyperRNN, HyperSequenceCNN
from tests.tuning.hypermodels.spaces import build, declared


def test_hyperparameters_of_recurrent_ones():
    space = declared(HyperRNN((12, 3), 4))
    assert list(space) == [
        "cell", "bidirectional", "layers", "units_1", "units_2", "convolution", "filters",
        "dropout", "learning_rate",
    ]  # fmt: skip
    assert space["filters"].conditions[0].name == "convolution"
    assert "convolution" not in declared(HyperRNN((7, 3), 4))
    assert "convolution" in declared(HyperRNN((None, 3), 4))


def test_hyperparameters_of_convolutional_ones():
    assert list(declared(HyperSequenceCNN((64, 3), 4))) == [
        "blocks", "convolutions", "filters", "kernel_size", "batch_normalization", "reduction",
        "units", "dropout", "learning_rate",
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_recurrent_layers(cell, bidirectional, layers):
    model = build(
        HyperRNN((12, 3), 4), cell=cell, bidirectional=bidirectional, layers=layers, units_1=16
    )
    first = model.get_layer(f"{cell}_1")
    assert isinstance(first, keras.layers.Bidirectional) == bidirectional
    wide = 32 if bidirectional else 16
    assert first.output.shape == ((None, wide) if layers == 1 else (None, 12, wide))
    assert sum(isinstance(one, keras.layers.Dropout) for one in model.layers) == layers
    assert model.optimizer.clipnorm == 1.0


def test_convolution_halves_the_steps():
    model = build(HyperRNN((12, 3), 4), convolution=True, filters=16, layers=2)
    assert model.get_layer("pool").output.shape == (None, 6, 16)
    assert model.get_layer("lstm_1").output.shape == (None, 6, 64)


@pytest.mark.parametrize("cls", [HyperRNN, HyperSequenceCNN])
def test_any_length(cls):
    model = build(cls((None, 3), 4))
    for steps in (1, 5, 40):
        assert model(np.zeros((2, steps, 3), "float32")).shape == (2, 4)


def test_any_length_cannot_be_flattened():
    space = declared(HyperSequenceCNN((None, 3), 4, task="regression"))
    assert space["reduction"].values == ["average", "max"]
    assert "units" not in space


@pytest.mark.parametrize(("steps", "most"), [(1, 1), (4, 1), (8, 2), (20, 3), (64, 4), (4096, 4)])
def test_blocks_fit_the_steps(steps, most):
    space = HyperSequenceCNN((steps, 3), 4)
    assert getattr(declared(space)["blocks"], "max_value", 1) == most
    assert build(space, blocks=most).output_shape == (None, 4)


@pytest.mark.parametrize("reduction", ["average", "max", "flatten"])
def test_reduction(reduction):
    model = build(HyperSequenceCNN((500, 3), 4), reduction=reduction, blocks=1, kernel_size=7)
    wide = model.get_layer("reduction").output.shape
    assert wide == (None, 63 * 32 if reduction == "flatten" else 32)


@pytest.mark.parametrize("cls", [HyperRNN, HyperSequenceCNN])
@pytest.mark.parametrize("shape", [(12,), (12, 3, 1), (12, 0)])
def test_wrong_shape(cls, shape):
    with pytest.raises(ValueError, match="`input_shape`"):
        cls(shape, 4)


def waves(samples):
    """Give sine waves of four frequencies and any phase, in noise."""
    rng = np.random.default_rng(samples)
    labels = rng.integers(0, 4, samples)
    turns = (labels[:, None] + 2) * np.arange(24) / 24 + rng.random((samples, 1))
    x = np.sin(2 * np.pi * turns) + rng.normal(0, 0.3, (samples, 24))
    return x[..., None].astype("float32"), labels


@pytest.mark.parametrize(("cls", "epochs"), [(HyperRNN, 12), (HyperSequenceCNN, 5)])
def test_default_learns_waves(cls, epochs):
    model = build(cls((24, 1), 4))
    model.fit(*waves(1000), epochs=epochs, verbose=0)
    assert model.evaluate(*waves(500), verbose=0)[1] > 0.9
