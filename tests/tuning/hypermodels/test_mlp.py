"""The search space of tables."""

import pytest

from kerasopt.tuning.hypermodels import HyperMLP
from tests.tuning.hypermodels.spaces import build, declared


def names(model):
    return [layer.name for layer in model.layers]


def test_hyperparameters():
    space = declared(HyperMLP((12,), 2))
    assert list(space) == [
        "layers", "units_1", "units_2", "units_3", "activation", "batch_normalization", "dropout",
        "learning_rate",
    ]  # fmt: skip
    assert space["units_3"].conditions[0].values == [3]
    assert (space["units_1"].min_value, space["units_1"].max_value) == (8, 256)


def test_default():
    assert names(build(HyperMLP((12,), 2))) == [
        "inputs", "hidden_1", "activation_1", "dropout_1", "hidden_2", "activation_2", "dropout_2",
        "outputs",
    ]  # fmt: skip


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_layers(layers):
    values = {f"units_{n}": 8 * n for n in range(1, layers + 1)}
    model = build(HyperMLP((12,), 2, max_layers=4), layers=layers, **values)
    hidden = [layer.units for layer in model.layers if layer.name.startswith("hidden")]
    assert hidden == list(values.values())


def test_batch_normalization_takes_the_bias():
    model = build(HyperMLP((12,), 2), batch_normalization=True, activation="tanh")
    assert not model.get_layer("hidden_2").use_bias
    assert names(model)[1:5] == ["hidden_1", "norm_1", "activation_1", "dropout_1"]


def test_one_layer_is_fixed():
    space = HyperMLP((12,), 2, max_layers=1)
    assert type(declared(space)["layers"]).__name__ == "Fixed"
    assert "hidden_2" not in names(build(space))


def test_more_axes_are_flattened():
    assert build(HyperMLP((4, 5), 2)).get_layer("flatten").output.shape == (None, 20)
