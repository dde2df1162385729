import keras
import numpy as np
import pytest

from kerasopt.export.convert.converter import CALIBRATED
from kerasopt.export.process.client import Worker


@pytest.fixture(autouse=True)
def _seeds():
    """Seed as everywhere, but keep the models that the tests of this folder share."""
    keras.utils.set_random_seed(7)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def cnn():
    """A small convolutional network with BatchNorm statistics that are not the initial ones."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(160, activation="relu"),
            keras.layers.Dense(5, activation="softmax", name="digit"),
        ]
    )
    generator = np.random.default_rng(1)
    norm = model.get_layer("norm")
    norm.moving_mean.assign(generator.normal(size=8) * 0.1)
    norm.moving_variance.assign(generator.uniform(0.5, 2.0, 8))
    norm.gamma.assign(generator.uniform(0.5, 2.0, 8))
    return model


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(2).random((120, 8, 8, 1), dtype=np.float32)


@pytest.fixture(scope="session")
def dense():
    """The smallest model there is, for what does not depend on the model."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(3, name="y", activation="tanh")]
    )


@pytest.fixture(scope="session")
def rows():
    return np.random.default_rng(4).normal(size=(120, 4)).astype("float32")


@pytest.fixture
def no_converter(monkeypatch):
    """Fail where something reaches the process that calibrates.

    For what is to be refused before, because TensorFlow would end that process.
    """
    ask = Worker.ask

    def asked(self, task, folder, limit=None, **arguments):
        if arguments.get("mode") in CALIBRATED:
            pytest.fail("this was not refused")
        return ask(self, task, folder, limit, **arguments)

    monkeypatch.setattr(Worker, "ask", asked)


@pytest.fixture
def two_inputs():
    """Inputs of one shape whose swapping changes everything, in an order that is not sorted."""
    keras.utils.set_random_seed(5)
    second = keras.Input((4,), name="zebra")
    first = keras.Input((4,), name="ant")
    outputs = keras.layers.Dense(3, name="out")(
        keras.layers.Concatenate()([100.0 * second, first - 5.0])
    )
    return keras.Model([second, first], outputs)
