"""What a rewritten model can do at once: fit, with what the old one was compiled with."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import models


def inserted(model, path):
    graph = Graph.of(model)
    graph.insert_after(graph.find(path), layers.Dropout(0.5, name="drop"))
    return graph.build()


def test_named_losses_survive():
    old = models.two_in_two_out()
    new = inserted(old, "trunk")
    x = models.batch(new, 8)
    y = {"price": np.ones((8, 1)), "kind": np.zeros((8,), "int32")}
    history = new.fit(x, y, verbose=0).history
    assert {"loss", "price_loss", "kind_loss", "kind_accuracy"} <= set(history)
    assert new.optimizer is not old.optimizer
    assert new.optimizer.momentum == 0.9
    assert int(old.optimizer.iterations) == 0


def test_an_optimizer_that_has_worked_starts_again():
    old = models.sequential()
    old.compile(keras.optimizers.Adam(0.02), "mse", metrics=[keras.metrics.MeanAbsoluteError()])
    x, y = np.ones((8, 6), "float32"), np.ones((8, 3), "float32")
    old.fit(x, y, verbose=0)
    function = old.train_function
    new = inserted(old, "first")
    assert old.train_function is function
    assert int(old.optimizer.iterations) == 1
    assert int(new.optimizer.iterations) == 0
    assert new.optimizer.built
    assert float(new.optimizer.learning_rate) == pytest.approx(0.02)
    before = [np.array(w) for w in old.weights]
    new.fit(x, y, verbose=0)
    for now, was in zip(old.weights, before, strict=True):
        np.testing.assert_array_equal(now, was)
    assert "mean_absolute_error" in new.get_metrics_result()


def test_losses_and_metrics_that_are_local_functions():
    def squares(y, z):
        return keras.ops.mean((y - z) ** 2)

    old = models.sequential()
    old.compile("sgd", squares, metrics=[keras.metrics.MeanMetricWrapper(squares, name="mine")])
    new = inserted(old, "first")
    assert new.loss is squares
    logs = new.evaluate(np.ones((4, 6)), np.ones((4, 3)), verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["mine"])


def test_an_own_train_step_survives():
    old = models.with_step()
    old.compile("sgd", "mse")
    new = inserted(old, "hidden")
    assert type(new) is models.WithStep
    assert new.strength == 3.0
    history = new.fit(np.ones((4, 6)), np.ones((4, 2)), verbose=0).history
    assert history["mine"] == [21.0]
    assert old.steps_taken == 0


def test_an_argument_that_no_config_holds():
    class Scaled(keras.Model):
        def __init__(self, inputs, outputs, scale, **kwargs):
            super().__init__(inputs, outputs, **kwargs)
            self.scale = scale
            self.seen = keras.metrics.Mean(name="seen")

    x = keras.Input((3,))
    hidden = layers.Dense(4, name="hidden")
    old = Scaled(x, layers.Dense(2)(hidden(x)), scale=5)
    old.note = "later"
    old.favourite = hidden
    new = inserted(old, "hidden")
    assert type(new) is Scaled
    assert (new.scale, new.note) == (5, "later")
    assert new.favourite is new.get_layer("hidden")
    assert new.seen is not old.seen


def test_weights_beside_the_graph():
    class Extra(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.temperature = self.add_weight(shape=(), name="temperature")
            self.aside = layers.Dense(2, name="aside")

    x = keras.Input((3,))
    old = Extra(x, layers.Dense(2)(layers.Dense(4, name="hidden")(x)))
    old.aside(np.ones((1, 3)))
    models.scrambled(old)
    new = inserted(old, "hidden")
    assert float(new.temperature) == float(old.temperature)
    np.testing.assert_array_equal(new.aside.kernel, old.aside.kernel)
    assert new.aside is not old.aside
    old.late = layers.Dense(2)
    with pytest.warns(UserWarning, match="lacks late"):
        inserted(old, "hidden")


def test_a_class_that_builds_its_own_graph_becomes_a_plain_model():
    class Fixed(keras.Model):
        def __init__(self, units):
            x = keras.Input((3,))
            super().__init__(x, layers.Dense(2)(layers.Dense(units, name="hidden")(x)))

    old = Fixed(4)
    with pytest.warns(UserWarning, match="in the place of 'fixed' .a 'Fixed'"):
        new = inserted(old, "hidden")
    assert type(new) is type(keras.Model(old.inputs, old.outputs))
    assert len(new.weights) == 4


def test_a_compile_of_its_own():
    class Own(keras.Model):
        def compile(self, optimizer, extra):
            super().compile(optimizer, "mse")
            self.extra = extra

    x = keras.Input((3,))
    old = Own(x, layers.Dense(2)(layers.Dense(4, name="hidden")(x)))
    old.compile("sgd", extra=object())
    with pytest.warns(UserWarning, match="Compile it again"):
        new = inserted(old, "hidden")
    assert not new.compiled


def test_a_metric_that_cannot_be_made_again():
    class Needy(keras.metrics.Mean):
        def __init__(self, thing):
            super().__init__(name="needy")
            self.thing = thing

    old = models.sequential()
    old.compile("sgd", "mse", metrics=[Needy(object())])
    with pytest.warns(UserWarning, match="'needy'.*Compile it again"):
        new = inserted(old, "first")
    assert not new.compiled


def test_a_schedule_of_a_local_class():
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start * 0.5 ** keras.ops.cast(step, "float32")

        def get_config(self):
            return {"start": self.start}

    old = models.sequential()
    old.compile(keras.optimizers.SGD(Halving(0.25)), "mse")
    new = inserted(old, "first")
    assert float(new.optimizer.learning_rate) == 0.25
    new.fit(np.ones((4, 6)), np.ones((4, 3)), verbose=0)
    assert float(new.optimizer.learning_rate) == 0.125
    assert float(old.optimizer.learning_rate) == 0.25


def test_a_model_that_is_not_compiled_stays_so():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not inserted(models.sequential(), "first").compiled


def test_mixed_precision_keeps_its_policies():
    old = models.mixed()
    old.compile("adam", "mse")
    new = inserted(old, "half")
    assert new.get_layer("half").dtype_policy.name == "mixed_float16"
    new.fit(np.ones((4, 6)), np.ones((4, 2)), verbose=0)


@pytest.mark.parametrize(("then", "now"), [("mixed_float16", "float32"), ("float32", "float16")])
def test_a_model_keeps_its_policy_whatever_the_global_one_is(then, now):
    keras.config.set_dtype_policy(then)
    x = keras.Input((6,))
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(3, name="hidden")], name="inner")
    old = keras.Model(x, layers.Dense(2, dtype="float32")(inner(x)))
    old.compile("sgd", "mse")
    keras.config.set_dtype_policy(now)
    new = Graph.of(old).build()
    for one in (new, new.get_layer("inner"), new.get_layer("inner").get_layer("hidden")):
        assert one.dtype_policy.name == then
    # Mixed precision without scaled losses would lose small gradients.
    assert type(new.optimizer) is type(old.optimizer)
    assert new.optimizer.get_config() == old.optimizer.get_config()


def test_a_layer_that_cannot_be_copied_is_named():
    class NoConfig(layers.Layer):
        def __init__(self, thing):
            super().__init__()
            self.thing = thing

        def call(self, x):
            return x

    old = keras.Sequential([keras.Input((3,)), NoConfig(object()), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"'no_config'.*get_config"):
        Graph.of(old).build()
