"""Keras's attributes of `EarlyStopping`, driven by hand beside Keras's own callback."""

import keras
import numpy as np
import pytest

from kerasopt.callbacks import EarlyStopping
from kerasopt.stopping import Patience, Threshold

LOSSES = [0.9, 0.7, 0.75, 0.6, 0.61, 0.62, 0.63, 0.64]
ATTRIBUTES = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights", "patience", "baseline")


class Numbered:
    """No model of Keras: its weights are one number."""

    def __init__(self):
        self.stop_training, self.number = False, -1

    def get_weights(self):
        return self.number

    def set_weights(self, weights):
        self.number = weights


def seen(stopper):
    return {name: getattr(stopper, name) for name in ATTRIBUTES}


def by_hand(stopper, losses=LOSSES, model=None, meanwhile=lambda stopper, epoch: None):
    """Give the attributes after each epoch, and the model."""
    model = model or Numbered()
    stopper.set_model(model)
    stopper.on_train_begin()
    found = [seen(stopper)]
    for epoch, loss in enumerate(losses):
        model.number = epoch
        meanwhile(stopper, epoch)
        stopper.on_epoch_end(epoch, {"loss": loss})
        found.append(seen(stopper))
        if model.stop_training:
            break
    stopper.on_train_end()
    return [*found, seen(stopper)], model


def both(**arguments):
    arguments = {"monitor": "loss", "restore_best_weights": True, "mode": "min", **arguments}
    return EarlyStopping(**arguments), keras.callbacks.EarlyStopping(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 2},
        {"patience": 0},
        {"patience": 3, "min_delta": 0.06},
        {"patience": 3, "baseline": 0.65},
        {"patience": 9, "start_from_epoch": 2},
    ],
)
def test_without_a_model_the_same_as_keras_after_each_epoch(arguments):
    ours, theirs = both(**arguments)
    mine, model = by_hand(ours)
    expected, other = by_hand(theirs)
    assert mine == expected
    assert model.number == other.number
    assert ours.monitor_op == theirs.monitor_op


def raise_the_patience(stopper, epoch):
    if epoch == 1:
        stopper.patience = 4


def wait_again(stopper, epoch):
    if epoch == 5:
        stopper.wait = 0


def compare_with_the_last_run(stopper, epoch):
    if epoch == 0:
        stopper.best = 0.65


def give_the_weights(stopper, epoch):
    if epoch == 4:
        stopper.best_weights, stopper.best_epoch = 77, 2


@pytest.mark.parametrize(
    "meanwhile",
    [
        raise_the_patience,
        wait_again,
        compare_with_the_last_run,
        give_the_weights,
    ],
)
def test_what_is_set_while_it_runs_has_the_effect_it_has_in_keras(meanwhile):
    ours, theirs = both(patience=2)
    mine, model = by_hand(ours, meanwhile=meanwhile)
    expected, other = by_hand(theirs, meanwhile=meanwhile)
    assert mine[-1] == expected[-1]
    assert (len(mine), model.number) == (len(expected), other.number)


def test_the_next_run_begins_anew_whatever_was_set():
    stopper, _ = both(patience=3)
    stopper.set_model(Numbered())
    stopper.on_train_begin()
    stopper.best, stopper.wait, stopper.stopped_epoch, stopper.best_epoch = 0.1, 3, 5, 5
    stopper.best_weights = object()
    stopper.on_train_begin()
    assert (stopper.best, stopper.wait, stopper.stopped_epoch, stopper.best_epoch) == (
        None,
        0,
        0,
        0,
    )
    assert stopper.best_weights is None


def test_weights_of_a_model_may_be_set():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    stopper, _ = both(patience=3)
    stopper.set_model(model)
    stopper.on_train_begin()
    stopper.on_epoch_end(0, {"loss": 1.0})
    stopper.best_weights = [np.full((2, 1), 3.0), np.full(1, 4.0)]
    stopper.on_train_end()
    np.testing.assert_array_equal(
        np.concatenate([w.ravel() for w in model.get_weights()]), [3, 3, 4]
    )


def test_the_metric_and_its_direction_may_be_set():
    stopper = EarlyStopping(patience=2)
    stopper.monitor, stopper.mode, stopper.min_delta = "score", "max", -0.25
    assert (stopper.monitor, stopper.monitor_op, stopper.min_delta) == (
        "score",
        keras.ops.greater,
        0.25,
    )
    config = stopper.get_config()
    assert (config["monitor"], config["mode"], config["min_delta"]) == ("score", "max", 0.25)
    stopper.set_model(Numbered())
    stopper.on_train_begin()
    for epoch, score in enumerate([1.0, 1.5, 1.6]):
        stopper.on_epoch_end(epoch, {"score": score})
    assert (stopper.best, stopper.best_epoch, stopper.wait) == (1.5, 1, 1)
    stopper.monitor_op = np.less
    assert (stopper.mode, stopper.monitor_op) == ("min", keras.ops.less)
    stopper.monitor_op = None
    assert (stopper.mode, stopper.monitor_op) == ("auto", None)  # the name does not tell


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("patience", -1, ValueError),
        ("wait", 0.5, TypeError),
        ("monitor", 3, TypeError),
        ("mode", "least", ValueError),
        ("monitor_op", max, ValueError),
        ("min_delta", "0.1", TypeError),
        ("baseline", float("nan"), ValueError),
    ],
)
def test_a_wrong_value_is_said_when_it_is_set(name, value, error):
    with pytest.raises(error, match=f"argument `{name}`"):
        setattr(EarlyStopping(), name, value)


def test_a_subclass_may_compute_what_is_compared():
    class Sum(EarlyStopping):
        def get_monitor_value(self, logs):
            return logs["loss"] + logs["penalty"]

    stopper = Sum("total", mode="min", patience=2)
    stopper.set_model(Numbered())
    stopper.on_train_begin()
    given = [
        {"loss": 1.0, "penalty": 0.0},
        {"loss": 0.5, "penalty": 0.25},
        {"loss": 0.4, "penalty": 1.0},
    ]
    for epoch, logs in enumerate(given):
        stopper.on_epoch_end(epoch, logs)
        assert sorted(logs) == ["loss", "penalty"]
    assert (stopper.best, stopper.best_epoch, stopper.history) == (
        0.75,
        1,
        {0: 1.0, 1: 0.75, 2: 1.4},
    )


def test_with_rules_the_counter_is_that_of_the_patience_among_them():
    rule = Patience(2)
    stopper = EarlyStopping("loss", rules=Threshold(0.0) | rule)
    stopper.patience = 3
    found, model = by_hand(stopper, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (stopper.wait, rule.waited, stopper.stopped_epoch, model.number) == (3, 3, 3, 0)
    assert len(found) == 6
