"""The search space of images."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from kerasopt.tuning.hypermodels import HyperCNN, suggest_hypermodel
from tests.tuning.hypermodels.spaces import build, declared

IMAGE = (32, 32, 3)


def test_hyperparameters():
    space = declared(HyperCNN(IMAGE, 10))
    assert list(space) == [
        "blocks", "convolutions", "filters", "kernel_size", "batch_normalization", "reduction",
        "units", "dropout", "learning_rate",
    ]  # fmt: skip
    assert space["units"].conditions[0].values == ["flatten"]


@pytest.mark.parametrize(
    ("shape", "most"),
    [((32, 32, 3), 4), ((28, 28), 3), ((8, 8, 1), 2), ((3, 3, 1), 1), ((1, 64, 3), 4),
     ((1, 1, 3), 1), ((96, 96, 3), 4), ((224, 224, 3), 4)],
)  # fmt: skip
def test_blocks_fit_the_image(shape, most):
    blocks = declared(HyperCNN(shape, 10))["blocks"]
    assert getattr(blocks, "max_value", 1) == most
    model = build(HyperCNN(shape, 10), blocks=most)
    last = model.get_layer(f"pool_{most}").output.shape[1:3]
    assert max(last) >= min(2, max(shape[:2]))


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
@pytest.mark.parametrize("convolutions", [1, 2])
def test_filters_double_up_to_the_most(blocks, convolutions):
    space = HyperCNN(IMAGE, 10, max_filters=128)
    model = build(space, blocks=blocks, convolutions=convolutions, kernel_size=5)
    kernels = [one for one in model.layers if isinstance(one, keras.layers.Conv2D)]
    assert [one.filters for one in kernels] == [
        n for n in [32, 64, 128, 128][:blocks] for _ in range(convolutions)
    ]
    assert all(one.kernel_size == (5, 5) and not one.use_bias for one in kernels)


def test_without_batch_normalization():
    model = build(HyperCNN(IMAGE, 10), batch_normalization=False)
    assert model.get_layer("conv_1_1").use_bias
    assert not any(isinstance(one, keras.layers.BatchNormalization) for one in model.layers)


@pytest.mark.parametrize("reduction", ["average", "max", "flatten"])
def test_reduction(reduction):
    model = build(HyperCNN(IMAGE, 10), reduction=reduction, blocks=1, units=16)
    found = type(model.get_layer("reduction")).__name__
    assert found == {"flatten": "Flatten"}.get(reduction, f"Global{reduction.title()}Pooling2D")
    if reduction == "flatten":
        assert model.get_layer("shrinking").output.shape == (None, 8, 8, 32)
        assert model.get_layer("hidden").units == 16


def test_size_does_not_explode():
    model = build(HyperCNN((512, 512, 3), 10), reduction="flatten", blocks=1, units=256)
    assert model.get_layer("conv_1_1").strides == (2, 2)
    assert model.count_params() < 1_000_000


def test_regression_keeps_positions():
    assert declared(HyperCNN(IMAGE, 4, task="regression"))["reduction"].default == "flatten"


def test_rescale():
    model = build(HyperCNN((28, 28), 10, rescale=1 / 255))
    assert [one.name for one in model.layers[:3]] == ["inputs", "channel", "rescaling"]
    out = keras.Model(model.input, model.get_layer("rescaling").output)
    np.testing.assert_allclose(out(np.full((1, 28, 28), 255, "uint8")), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [("rescale", 0, ValueError), ("rescale", "255", TypeError), ("max_blocks", 0, ValueError),
     ("max_filters", 8, ValueError), ("input_shape", (28,), ValueError),
     ("input_shape", (None, None, 3), TypeError)],
)  # fmt: skip
def test_wrong_arguments(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        HyperCNN(**{"input_shape": IMAGE, "outputs": 10, name: value})


def test_default_learns_digits():
    digits = load_digits()
    model = build(suggest_hypermodel(digits.images, digits.target))
    model.fit(digits.images[:1200], digits.target[:1200], epochs=5, verbose=0)
    assert model.evaluate(digits.images[1200:], digits.target[1200:], verbose=0)[1] > 0.93
