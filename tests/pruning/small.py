"""A small model and its data, for the tests of pruning."""

import keras
import numpy as np
from keras import layers

from kerasopt.pruning import sparsity

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 64)
X = (RNG.normal(size=(3, 12))[Y] + 0.5 * RNG.normal(size=(64, 12))).astype("float32")


def mlp():
    """Give a compiled model of kernels with 192, 128 and 24 weights."""
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(16, "relu", name="a"),
            layers.Dense(8, "relu", name="b"),
            layers.Dense(3, name="c"),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def zeros(model):
    """Count the zeros of each kernel."""
    return {row.path: row.zeros for row in sparsity(model).rows}
