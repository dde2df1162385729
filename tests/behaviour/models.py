"""Small models, data and callbacks that several behaviour tests share."""

import keras
import numpy as np

X, Y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")


class Script(keras.callbacks.Callback):
    """Replace a metric's value in the logs by a scripted one, epoch by epoch."""

    def __init__(self, values, name="val_loss"):
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        value = self.values[epoch]
        if value is None:  # as on an epoch without validation
            for name in [name for name in logs if name.startswith("val_")]:
                del logs[name]
        else:
            logs[self.name] = value


class Traced(keras.Sequential):
    """A model that counts how often its step is traced."""

    traces = 0

    def compute_loss(self, *given, **named):
        self.traces += 1
        return super().compute_loss(*given, **named)


class Losses(keras.callbacks.Callback):
    """The loss that Keras reports after each batch, or several where a call runs several."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(logs["loss"]))


WAYS = ({}, {"jit_compile": True}, {"steps_per_execution": 2}, {"run_eagerly": True})
"""Arguments of `compile`: every way in which Keras runs a step."""


def small():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"], run_eagerly=True)
    return model


def train(stopper, values, name="val_loss", **arguments):
    model = small()
    history = model.fit(
        X,
        Y,
        epochs=len(values),
        callbacks=[Script(values, name), stopper],
        verbose=0,
        **arguments,
    )
    return model, history
