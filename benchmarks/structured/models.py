"""The models and the data of `benchmarks.structured`: a CNN, a small ResNet, Fashion-MNIST."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.search.task import DIGITS, FASHION, where

TUNING_SEED = 100  # of the pilot that chose the learning rates; it sees no test images


class Data(NamedTuple):
    """Images from 0 to 1, and their classes.

    Attributes:
        x: To train on.
        y: Their classes.
        x_test: To judge by.
        y_test: Their classes.
    """

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def name_of(data: Path) -> str:
    """Give the name of the data."""
    return DIGITS if where(data) is None else FASHION


def images(home: str | None, seed: int, train: int, test: int) -> Data:
    """Draw the images of a seed.

    Fashion-MNIST, 28 x 28, judged by images of its test set; without it the digits of scikit-learn,
    each pixel three times as wide and high. The seed of the pilot is judged by images of the
    training set.
    """
    if home is not None:
        from benchmarks.common.datasets import fashion_mnist

        x, y, own = fashion_mnist(Path(home) / "datasets/fashion-mnist")
    else:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = np.kron(x.reshape(-1, 8, 8), np.ones((1, 3, 3)))[..., None].astype("float32") / 16
        order, own = np.random.default_rng(0).permutation(len(x)), 797
        x, y = x[order], y[order]
    y = y.astype("int64")
    order = np.random.default_rng(seed).permutation(len(x) - own)
    held = order[train:] if seed == TUNING_SEED else np.arange(len(x) - own, len(x))
    return Data(x[order[:train]], y[order[:train]], x[held[:test]], y[held[:test]])


def cnn(shape: tuple[int, ...]) -> Any:
    """Give a CNN of 32-32-64-64 filters and 128 units, of 10 classes."""
    from keras import Input, Model, layers

    inputs = x = Input(shape)
    for filters in (32, 64):
        x = _normalized(x, filters, padding="valid")
        x = _normalized(x, filters, padding="valid")
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return Model(inputs, layers.Dense(10)(x))


def resnet(shape: tuple[int, ...]) -> Any:
    """Give a ResNet of three blocks, of 16, 32 and 64 filters (He et al., 2015), of 10 classes."""
    from keras import Input, Model, layers

    inputs = x = Input(shape)
    x = _normalized(x, 16)
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = _normalized(x, filters, strides=strides)
        y = _normalized(y, filters, relu=False)
        if strides > 1:
            x = _normalized(x, filters, size=1, strides=strides, relu=False)
        x = layers.ReLU()(layers.Add()([x, y]))
    return Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def _normalized(
    x: Any, filters: int, size: int = 3, strides: int = 1, padding: str = "same", relu: bool = True
) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
    # Keras's 0.99 is for more steps than the few hundred here.
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x) if relu else x


class Kind(NamedTuple):
    """A model of the benchmark.

    Attributes:
        build: Makes it from the shape of an image.
        about: What it is.
    """

    build: Callable[[tuple[int, ...]], Any]
    about: str


KINDS = {
    "CNN": Kind(cnn, "Convolutions 32-32-pool-64-64-pool, 3 x 3, unpadded, dense 128-10"),
    "ResNet": Kind(
        resnet, "A convolution of 16 filters and three blocks of two, of 16-32-64 filters"
    ),
}
CRITERIA = (
    "l2", "l1", "group", "bn_scale", "geometric_median", "taylor", "activation", "apoz", "random"
)  # fmt: skip
