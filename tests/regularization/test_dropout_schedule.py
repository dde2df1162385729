"""DropoutSchedule: rates that change while a model trains."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.callbacks import DropoutSchedule, EarlyStopping
from kerasopt.layers import ScheduledDropout
from kerasopt.regularization import freeze_dropout, insert_dropout
from kerasopt.schedules import Constant, Exponential, PolynomialDecay
from tests.behaviour.models import WAYS, Losses, Traced

X, Y = np.ones((8, 4), "float32"), np.zeros((8, 1000), "float32")
RAMP = PolynomialDecay(0.0, 0.8, begin=0, end=1.0, power=1)


class Mean(keras.losses.Loss):
    """The share of zeros in what the model gives: the loss shows the rate of each step."""

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.cast(y_pred == 0.0, "float32"), axis=-1)


def showing(rate=0.0, cls=keras.Sequential, **arguments):
    """Give a model whose loss is the share of numbers that its one dropout drops."""
    ones = layers.Dense(1000, kernel_initializer="ones", trainable=False, name="ones")
    model = cls([keras.Input((4,)), ones, ScheduledDropout(rate, seed=1, name="drop")])
    model.compile(keras.optimizers.SGD(0.1), Mean(), **arguments)
    return model


def fit(model, *callbacks, epochs=1, **arguments):
    given = {"x": X, "y": Y, "batch_size": 2, "epochs": epochs, "verbose": 0, **arguments}
    return model.fit(**given, callbacks=list(callbacks)).history


@pytest.mark.parametrize("arguments", WAYS, ids=str)
def test_the_rate_of_every_step(arguments):
    model, losses = showing(cls=Traced, **arguments), Losses()
    history = fit(model, DropoutSchedule(RAMP), losses, epochs=2)
    several = arguments.get("steps_per_execution", 1)
    rates = [0.8 * np.ceil(step / several) * several / 8 for step in range(1, 9)]
    expected = [np.mean(rates[:4][: b + 1]) for b in range(several - 1, 4, several)]
    # 2000 numbers a step: five standard errors of a share are at most 5 * 0.5 / sqrt(2000).
    np.testing.assert_allclose(losses.seen[: len(expected)], expected, atol=0.056)
    assert history["dropout_rate"] == pytest.approx([0.4, 0.8])
    assert float(model.get_layer("drop").rate) == pytest.approx(0.8)
    if not arguments.get("run_eagerly"):
        assert model.traces <= 2


def test_inference_never_drops():
    model = showing()
    history = fit(model, DropoutSchedule(0.5), validation_data=(X, Y))
    assert history["val_loss"] == [0.0]
    assert history["loss"][0] > 0.3


def test_a_number_is_the_curriculum():
    callback = DropoutSchedule(0.5)
    assert callback.schedule == Exponential(0.0, 0.5, begin=0, end=1.0, decay=10)
    # Morerio et al., 2017: kept(t) = (1 - kept) exp(-gamma t) + kept, gamma = 10 / T.
    resolved = callback.schedule.resolve(1000)
    for step in (0, 1, 50, 200, 999, 1000):
        theirs = 1.0 - (0.5 * np.exp(-10 * step / 1000) + 0.5)
        assert resolved(step) == pytest.approx(theirs, abs=5e-5)


def test_until_it_begins_the_layers_keep_their_rate():
    model = showing(rate=0.25)
    history = fit(model, DropoutSchedule(Constant(0.75, begin="1 epoch")), epochs=2)
    assert history["loss"][0] == pytest.approx(0.25, abs=0.03)
    assert history["loss"][1] == pytest.approx(0.75, abs=0.03)


def test_include_and_nested_layers():
    inner = keras.Sequential([keras.Input((4,)), ScheduledDropout(0.1, name="deep")], name="inner")
    x = keras.Input((4,))
    y = ScheduledDropout(0.2, name="outer")(inner(x))
    model = keras.Model(x, layers.Dense(1000)(y))
    model.compile("sgd", "mse")
    callback = DropoutSchedule(Constant(0.5), include="inner")
    fit(model, callback)
    assert [layer.name for layer in callback.layers] == ["deep"]
    assert float(inner.layers[0].rate) == 0.5
    assert float(model.get_layer("outer").rate) == pytest.approx(0.2)
    fit(model, DropoutSchedule(Constant(0.75), exclude="deep"))
    assert float(inner.layers[0].rate) == 0.5
    assert float(model.get_layer("outer").rate) == 0.75
    with pytest.raises(ValueError, match="`exclude`.*inner/deep, outer"):
        fit(model, DropoutSchedule(0.5, exclude=ScheduledDropout))


def test_a_model_without_such_layers_is_told_how_to_get_them():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(1000)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"ScheduledDropout.*insert_dropout\(.*\"scheduled\""):
        fit(model, DropoutSchedule(0.5))


def test_inserted_scheduled_and_frozen():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(16, "relu", name="hidden"), layers.Dense(1000)]
    )
    model.compile("sgd", "mse")
    model = insert_dropout(model, 0.0, kind="scheduled", seed=3)
    history = fit(model, DropoutSchedule(RAMP))
    assert history["dropout_rate"] == [0.8]
    plain = freeze_dropout(model)
    assert type(plain.get_layer("hidden_dropout")) is layers.Dropout
    assert plain.get_layer("hidden_dropout").rate == 0.8
    np.testing.assert_array_equal(plain.predict(X, verbose=0), model.predict(X, verbose=0))
    fit(plain)


def test_a_strategy(mirrored):
    with mirrored.scope():
        model = showing()
    history = fit(model, DropoutSchedule(RAMP), epochs=2)
    assert history["dropout_rate"] == pytest.approx([0.4, 0.8])
    assert history["loss"][1] == pytest.approx(0.8 * np.mean([5, 6, 7, 8]) / 8, abs=0.03)


def test_configuration_and_state():
    callback = DropoutSchedule(RAMP, include=["a*"])
    config = json.loads(json.dumps(callback.get_config()))
    assert DropoutSchedule.from_config(config).get_config() == callback.get_config()
    model = showing()
    callback = DropoutSchedule(RAMP)
    fit(model, callback, epochs=2)
    assert callback.step == 8
    state = json.loads(json.dumps(callback.get_state()))
    resumed = DropoutSchedule(RAMP)
    resumed.set_state(state)
    history = fit(model, resumed, epochs=4, initial_epoch=2)
    assert history["dropout_rate"] == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1.0, ValueError),
        (-0.1, ValueError),
        (Constant(1.0), ValueError),
        (PolynomialDecay(-0.1, 0.5), ValueError),
        ("0.5", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_a_wrong_schedule(value, error):
    with pytest.raises(error, match="`schedule`"):
        DropoutSchedule(value)


def test_two_of_them_have_a_key_each():
    model = keras.Sequential(
        [keras.Input((4,)), ScheduledDropout(0.1, name="a"), ScheduledDropout(0.1, name="b")]
    )
    model.add(layers.Dense(1000))
    model.compile("sgd", "mse")
    history = fit(
        model,
        DropoutSchedule(Constant(0.25), include="a"),
        DropoutSchedule(Constant(0.75), include="b"),
    )
    assert (history["dropout_rate"], history["dropout_rate_1"]) == ([0.25], [0.75])


def test_best_weights_bring_back_their_rate():
    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = float(epoch)

    model = showing()
    stopper = EarlyStopping(patience=9)
    fit(model, DropoutSchedule(RAMP), Worse(), stopper, epochs=4)
    assert float(model.get_layer("drop").rate) == pytest.approx(0.2)


def test_an_early_stop_is_no_reason_to_warn():
    model = showing()
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="DropoutSchedule")
        history = fit(model, DropoutSchedule(RAMP), stop, epochs=4)
    assert history["dropout_rate"] == pytest.approx([0.2])
