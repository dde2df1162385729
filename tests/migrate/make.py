"""Make models with tfmot, in a process that runs Keras 2: `python make.py KIND FOLDER`."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras
from tf_keras import layers


def cnn():
    return tf_keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(8, 3, activation="relu", name="conv"),
            layers.DepthwiseConv2D(3, name="depth"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax", name="top"),
        ]
    )


def branches():
    a, b = layers.Input((6,), name="a"), layers.Input((5, 4), name="b")
    y = layers.Concatenate()([layers.Dense(5, "relu", name="d")(a), layers.LSTM(3, name="l")(b)])
    return tf_keras.Model([a, b], [layers.Dense(2, name="one")(y), layers.Dense(1, name="two")(y)])


def scrambled(model):
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.05, 0.5, w.shape) for w in model.get_weights()])
    return model


def pruned(make):
    schedule = tfmot.sparsity.keras.ConstantSparsity(0.5, 0, frequency=1)
    model = tfmot.sparsity.keras.prune_low_magnitude(scrambled(make()), schedule)
    model.compile("sgd", "mse")
    step = tfmot.sparsity.keras.UpdatePruningStep()
    inputs = [np.ones((4, *one.shape[1:])) for one in model.inputs]
    outputs = [np.ones((4, *one.shape[1:])) for one in model.outputs]
    model.fit(inputs, outputs, callbacks=[step], verbose=0)
    return model


def clustered(make):
    start = tfmot.clustering.keras.CentroidInitialization.LINEAR
    return tfmot.clustering.keras.cluster_weights(
        scrambled(make()), number_of_clusters=4, cluster_centroids_init=start
    )


KINDS = {
    "plain": lambda: scrambled(cnn()),
    "branches": lambda: scrambled(branches()),
    "pruned": lambda: pruned(cnn),
    "pruned_branches": lambda: pruned(branches),
    "clustered": lambda: clustered(cnn),
}
if __name__ == "__main__":
    folder = sys.argv[1]
    for name, make in KINDS.items():
        if name in ("clustered", "pruned_branches"):
            # They have weights of one name, which an .h5 file cannot hold.
            make().save(os.path.join(folder, name), save_format="tf")
        else:
            make().save(os.path.join(folder, f"{name}.h5"))
    KINDS["plain"]().save(os.path.join(folder, "plain.keras"))
