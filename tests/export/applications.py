"""Networks of `keras.applications` at 96 pixels without a download; benchmarks use them too."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import applications, layers

SIDE = 96
CLASSES = 10

APPLICATIONS: dict[str, Callable[..., Any]] = {
    "MobileNetV2": applications.MobileNetV2,
    "MobileNetV3Small": applications.MobileNetV3Small,
    "EfficientNetV2B0": applications.EfficientNetV2B0,
    "ResNet50": applications.ResNet50,
    "DenseNet121": applications.DenseNet121,
}
RAW = ("MobileNetV3Small", "EfficientNetV2B0")
"""These scale pixels themselves; the others take numbers in [-1, 1]."""


def images(name: str, count: int, seed: int = 0) -> Any:
    """Give random pictures: blobs of colour of many sizes, as photographs have."""
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, SIDE, SIDE, 3), "float32")
    for side in (3, 6, 12, 24, 48, 96):
        coarse = rng.normal(size=(count, side, side, 3)).astype("float32") / np.sqrt(side)
        pictures += np.asarray(keras.ops.image.resize(coarse, (SIDE, SIDE)))
    low, high = pictures.min((1, 2, 3), keepdims=True), pictures.max((1, 2, 3), keepdims=True)
    pictures = (pictures - low) / (high - low)
    return pictures * 255.0 if name in RAW else pictures * 2.0 - 1.0


def build(name: str, seed: int = 0) -> Any:
    """Give a network with a head for ten classes, whose statistics are those of pictures.

    Untrained statistics let the activations of a deep network grow or vanish, and an untrained
    network is chaotic: it magnifies any noise from layer to layer. Activations around 1, where a
    ReLU is straight, take most of that away. A softmax over a thousand classes would be all 0.001,
    which int8 cannot tell apart.
    """
    keras.utils.set_random_seed(seed)
    base = APPLICATIONS[name](
        input_shape=(SIDE, SIDE, 3), weights=None, include_top=False, pooling="avg"
    )
    model = keras.Model(base.input, layers.Dense(CLASSES, name="classes")(base.output), name=name)
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    momenta = [one.momentum for one in norms]
    for one in norms:
        one.gamma.assign(one.gamma * 0.5)
        one.beta.assign(one.beta + 1.0)
        one.momentum = 0.0  # what the one pass below sees is what is kept
    model(images(name, 48, seed + 1), training=True)
    for one, momentum in zip(norms, momenta, strict=True):
        one.momentum = momentum
    return model
