"""A `train_step` of the user's that does not ask for the model's losses."""

import time
import types
import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.callbacks import WeightPenalty
from kerasopt.distillation import OutputDistiller
from kerasopt.regularization import add_penalty
from kerasopt.regularization.train_step import ignores_losses

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X[:, :2]


def square(a, b):
    return keras.ops.mean(keras.ops.square(a - b))


def with_losses(model, x, y):
    return square(model(x), y) + sum(model.losses)


class Deaf(keras.Model):
    """As in Keras's guide on `train_step` at its lowest level, without the losses."""

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.value(x, y)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}

    def value(self, x, y):
        return square(self(x, training=True), y)


class Summing(Deaf):
    def value(self, x, y):
        return super().value(x, y) + sum(self.losses)


class ByFunction(Deaf):
    def value(self, x, y):
        return with_losses(self, x, y)


class ByCompute(Deaf):
    def value(self, x, y):
        return self.compute_loss(x, y, self(x, training=True))


class Above(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Elsewhere(Deaf):
    """What the object does with the model cannot be known from the code."""

    def value(self, x, y):
        return self.thing.value(self, x, y)


class Thing:
    def value(self, model, x, y):
        return with_losses(model, x, y)


class Overriding(Summing):
    """The method that reads the losses is called by `super()`."""

    def value(self, x, y):
        return super().value(x, y)


HELPERS = types.ModuleType("helpers")
HELPERS.value = with_losses  # as `import helpers`
BY_NAME = {"sum": with_losses}


class Static:
    @staticmethod
    def value(model, x, y):
        return with_losses(model, x, y)


class Called:
    def __init__(self, model):
        self.model = model

    def __call__(self, x, y):
        return with_losses(self.model, x, y)


class ByModule(Deaf):
    def value(self, x, y):
        return HELPERS.value(self, x, y)


class ByContainer(Deaf):
    def value(self, x, y):
        return BY_NAME["sum"](self, x, y)


class ByClass(Deaf):
    def value(self, x, y):
        return Static.value(self, x, y)


class ByObject(Deaf):
    def value(self, x, y):
        return Called(self)(x, y)


class Penalized(layers.Layer):
    def penalty(self):
        return sum(self.losses)

    def call(self, x):
        return x


class ByLayer(Deaf):
    def value(self, x, y):
        return square(self(x), y) + self.part.penalty()


def made(cls):
    x = keras.Input((4,))
    model = cls(x, layers.Dense(2, name="top")(layers.Dense(3, name="hidden")(x)))
    model.thing = Thing()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("cls", [Overriding, ByModule, ByContainer, ByClass, ByObject, ByLayer])
def test_what_is_called_is_followed(cls):
    model = made(cls)
    model.part = Penalized()
    assert not ignores_losses(model)


def test_modules_classes_and_layers_that_read_none_hide_nothing():
    class Times(Deaf):
        def value(self, x, y):
            begun = time.perf_counter()
            self.part(x)
            return Plain.value(self, x, y) + 0 * begun

    class Plain:
        @staticmethod
        def value(model, x, y):
            return square(model(x), y)

    model = made(Times)
    model.part = Penalized()
    assert ignores_losses(model)


@pytest.mark.parametrize("cls", [Summing, ByFunction, ByCompute, Above, Elsewhere, keras.Model])
def test_no_false_alarm(cls):
    model = made(cls)
    assert not ignores_losses(model)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "(The penalty|WeightPenalty) has no effect")
        add_penalty(model, 0.01)
        if cls in (Summing, Elsewhere):
            model.fit(X, Y, verbose=0, callbacks=[WeightPenalty(l2=0.01)])


def test_it_is_said_once_and_names_the_class():
    model = made(Deaf)
    with pytest.warns(UserWarning, match="no effect in `fit`: the `train_step` of 'Deaf'") as seen:
        add_penalty(model, 0.01)
    assert [one.filename for one in seen] == [__file__]
    with pytest.warns(UserWarning, match="no effect on 'hidden', 'top': .*'Deaf'") as seen:
        model.fit(X, Y, epochs=2, batch_size=4, verbose=0, callbacks=[WeightPenalty(l2=0.01)])
    assert len([one for one in seen if "no effect" in str(one.message)]) == 1


def test_a_step_that_reads_the_losses_of_a_part():
    class Partly(Deaf):
        def value(self, x, y):
            return super().value(x, y) + sum(self.get_layer("top").losses)

    with pytest.warns(UserWarning, match="no effect on 'hidden': "):
        made(Partly).fit(X, Y, verbose=0, callbacks=[WeightPenalty(l2=0.01)])


def test_a_distiller_asks_for_them():
    distiller = OutputDistiller(made(keras.Model), made(keras.Model), kind="linear")
    distiller.compile("sgd", "mse")
    assert not ignores_losses(distiller)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "WeightPenalty has no effect")
        distiller.fit(X, Y, verbose=0, callbacks=[WeightPenalty(l2=0.01)])
