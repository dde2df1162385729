"""`Pruning` without training: arguments, plain data."""

import json

import keras
import numpy as np
import pytest

from kerasopt.callbacks import Pruning
from kerasopt.pruning import sparsity
from kerasopt.schedules import Constant, PolynomialDecay


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"schedule": 1.0}, ValueError, r"`schedule`. Expected a sparsity in \[0, 1\)"),
        ({"schedule": -0.5}, ValueError, "`schedule`"),
        ({"schedule": Constant(1.5)}, ValueError, r"sparsities in \[0, 1\). Received.*1.5"),
        ({"schedule": PolynomialDecay(0, 1.0)}, ValueError, "`schedule`"),
        ({"schedule": "fast"}, ValueError, "`schedule`.*'fast'"),
        ({"schedule": None}, TypeError, "`schedule`"),
        ({"frequency": 0}, ValueError, "`frequency`"),
        ({"frequency": "often"}, ValueError, "`frequency`.*'often'"),
        ({"frequency": 2.5}, TypeError, '`frequency`. Expected "auto" or an integer >= 1'),
        ({"schedule": 80}, ValueError, "Did you mean 0.8"),
        ({"schedule": "80%"}, ValueError, r"a float in .*'80%'. Did you mean 0.8"),
        ({"schedule": "0.8"}, ValueError, "Did you mean 0.8"),
        ({"include": int}, TypeError, "`include`"),
        ({"exclude": 3}, TypeError, "`exclude`"),
        ({"verbose": "yes"}, TypeError, "`verbose`"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        Pruning(**{"schedule": 0.5, **arguments})


def test_a_number_is_gradual_pruning_with_time_to_recover():
    assert Pruning(0.8).schedule == PolynomialDecay(0.0, 0.8, begin=0, end=0.75)
    assert Pruning(np.float64(0.8)).schedule == Pruning(0.8).schedule
    assert isinstance(Pruning(np.float32(0.5)).schedule, PolynomialDecay)


def test_plain_data_and_back():
    pruning = Pruning(PolynomialDecay(0, 0.9, 0.1, 0.9), include=["conv*"], frequency=7, verbose=1)
    config = json.loads(json.dumps(pruning.get_config()))
    again = Pruning.from_config(config)
    assert again.get_config() == pruning.get_config()
    state = {"step": 0, "in_epoch": 0, "updated": -1, "target": None, "masks": {}, "collected": {}}
    assert pruning.get_state() == state


def test_a_model_without_kernels_and_a_selection_of_nothing():
    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    model.compile("sgd", "mse")
    x = np.ones((8, 4))
    with pytest.raises(ValueError, match="batch_normalization: no kernels"):
        model.fit(x, x, callbacks=[Pruning(0.5)], verbose=0)
    with pytest.raises(ValueError, match="`include`.*'dens'"):
        model.fit(x, x, callbacks=[Pruning(0.5, include="dens")], verbose=0)


def test_the_table_of_a_model():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(1, name="b")]
    )
    model.get_layer("a").kernel.assign(np.eye(4))
    found = sparsity(model)
    assert found.total == 12 / 20
    assert [(row.path, row.zeros, row.sparsity) for row in found.rows] == [
        ("a/kernel", 12, 0.75),
        ("b/kernel", 0, 0.0),
    ]
    assert json.loads(json.dumps(found.to_dict()))["rows"][0]["shape"] == [4, 4]
    assert "a/kernel  4 x 4          16     12    0.7500" in str(found)
    assert sparsity(model, include="b").total == 0.0


def test_a_schedule_of_tfmots_is_asked_about_each_step_once():
    asked = []

    class Theirs:
        begin_step, end_step = 2, 10

        def __call__(self, step):
            asked.append(step)
            return step % 4 == 0, min(step, 10) / 20

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile("sgd", "mse")
    x = np.ones((200, 4))
    pruning = Pruning(Theirs())
    asked.clear()
    model.fit(x, x, batch_size=1, verbose=0, callbacks=[pruning])
    assert len(asked) <= 130
    assert pruning.sparsity == 0.5


def test_a_criterion_that_raises_is_said_before_training():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a")])
    model.compile("sgd", "mse")
    x, seen = np.ones((8, 4)), []
    watch = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(1))
    late = PolynomialDecay(0.0, 0.5, begin=1, end=2)
    for criterion, said in (
        (lambda w: w.nothing, "`criterion`.*'a/kernel'.*raised AttributeError.*nothing"),
        (lambda w: w[0], r"`criterion`.*shape \(4, 4\)"),
    ):
        with pytest.raises(ValueError, match=said):
            model.fit(x, x, 1, 2, 0, callbacks=[watch, Pruning(late, criterion=criterion)])
    assert not seen


def test_slots_of_a_models_own_optimizers_cannot_be_masked():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)
            self.dense.build((None, 4))

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(np.ones((1, 4)))
    pruning = Pruning(0.5, momentum="mask")
    pruning.set_model(model)
    pruning.set_params({"epochs": 1, "steps": 4})
    with pytest.raises(ValueError, match="`momentum`.*'keep'"):
        pruning.on_train_begin()
