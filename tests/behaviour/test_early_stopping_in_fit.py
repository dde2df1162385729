"""`EarlyStopping` beside Keras's own on the same runs, and where ours is meant to differ."""

import copy
import math

import keras
import numpy as np
import pytest

from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.schedules import PolynomialDecay
from tests.behaviour.models import Script, X, Y, small, train

SEQUENCES = {
    "falls and rises": [1.0, 0.8, 0.7, 0.75, 0.74, 0.73, 0.72, 0.71, 0.705, 0.701],
    "noisy": [1.0, 0.9, 0.95, 0.85, 0.9, 0.84, 0.86, 0.9, 0.83, 0.99],
    "flat": [0.5] * 10,
    "always better": [1.0 - 0.05 * step for step in range(10)],
    "always worse": [1.0 + 0.05 * step for step in range(10)],
}


@pytest.mark.parametrize("values", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 0},
        {"patience": 1},
        {"patience": 3},
        {"patience": 2, "min_delta": 0.04},
        {"patience": 2, "min_delta": -0.04},
        {"patience": 2, "start_from_epoch": 3},
        {"patience": 2, "mode": "max"},
        {"patience": 3, "baseline": 0.86},
    ],
    ids=str,
)
def test_the_same_as_keras_where_keras_is_sound(values, arguments):
    arguments = {"monitor": "val_loss", "restore_best_weights": True, **arguments}
    if arguments.get("baseline") and values in (SEQUENCES["always better"],):
        arguments["baseline"] = 0.97  # never to be beaten: see the test of the baseline
    theirs, ours = keras.callbacks.EarlyStopping(**arguments), EarlyStopping(**arguments)
    model_theirs, history_theirs = train(theirs, values)
    model_ours, history_ours = train(ours, values)
    assert history_ours.epoch == history_theirs.epoch
    assert ours.stopped_epoch == theirs.stopped_epoch
    assert (ours.best_epoch or 0) == theirs.best_epoch
    assert ours.best == theirs.best
    for a, b in zip(model_ours.get_weights(), model_theirs.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_nan_in_the_first_epoch_does_not_poison_the_run():
    values = [math.nan, 0.9, 0.8, 0.7, 0.6, 0.5]
    theirs = keras.callbacks.EarlyStopping(patience=2)
    _, history = train(theirs, values)
    assert len(history.epoch) == 3  # Keras stops a run that improves
    ours = EarlyStopping(patience=2)
    _, history = train(ours, values)
    assert len(history.epoch) == 6
    assert (ours.best_value, ours.best_epoch) == (0.5, 5)


def test_a_run_that_never_beats_the_baseline_stops_though_it_improves():
    values = [1.0, 0.9, 0.8, 0.7, 0.6]
    _, history = train(keras.callbacks.EarlyStopping(patience=2, baseline=0.1), values)
    assert len(history.epoch) == 5
    ours = EarlyStopping(patience=2, baseline=0.1)
    _, history = train(ours, values)
    assert len(history.epoch) == 2
    assert "did not beat the baseline 0.1" in ours.reason


def test_epochs_without_validation_use_up_no_patience(recwarn):
    values = [1.0, None, None, 1.1, None, 1.2, None]
    stopper = EarlyStopping(patience=2)
    _, history = train(stopper, values)
    assert len(history.epoch) == 6
    assert stopper.history == {0: 1.0, 3: 1.1, 5: 1.2}
    assert not [w for w in recwarn if "arly" in str(w.message)]


@pytest.mark.parametrize(
    ("monitor", "match"),
    [
        ("val_los", r"\['loss', 'mae', 'val_loss', 'val_mae'\].*monitor='val_los'.*'val_loss'"),
        ("accuracy", "monitor='accuracy'"),
        ("val_maee", "monitor='val_maee'. Did you mean 'val_mae'"),
        ("score", "monitor='score'.*callbacks after it"),
    ],
)
def test_a_metric_that_does_not_exist_is_an_error_after_the_first_epoch(monitor, match):
    model = small()
    with pytest.raises(ValueError, match=match):
        model.fit(
            X,
            Y,
            epochs=5,
            validation_data=(X, Y),
            callbacks=[EarlyStopping(monitor)],
            verbose=0,
        )
    assert int(model.optimizer.iterations) == 1


def test_no_validation_data_is_an_error_after_the_first_epoch():
    model = small()
    with pytest.raises(ValueError, match="'val_loss'. `fit` was given no validation data"):
        model.fit(X, Y, epochs=2, callbacks=[EarlyStopping()], verbose=0)
    assert int(model.optimizer.iterations) == 1


def test_a_validation_that_never_came_is_said():
    with pytest.warns(UserWarning, match="no epoch reported 'val_loss'.*validation_freq"):
        small().fit(
            X,
            Y,
            epochs=2,
            validation_data=(X, Y),
            validation_freq=3,
            callbacks=[EarlyStopping()],
            verbose=0,
        )


def test_an_unknown_direction_asks_for_mode_before_the_second_epoch():
    with pytest.raises(ValueError, match="Pass `mode="):
        train(EarlyStopping("score"), [1.0, 2.0], "score")
    stopper = EarlyStopping("score", mode="max")
    train(stopper, [1.0, 2.0], "score")
    assert stopper.best == 2.0


def test_the_best_weights_are_restored_when_training_ends_by_itself():
    model, _ = train(EarlyStopping(patience=9), [0.5, 0.6, 0.7])
    reference, _ = train(EarlyStopping(patience=9), [0.5])
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_after_an_exception_restore_does_it():
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("interrupted")

    model, stopper = small(), EarlyStopping(patience=9)
    with pytest.raises(RuntimeError, match="interrupted"):
        model.fit(
            X,
            Y,
            epochs=5,
            validation_data=(X, Y),
            callbacks=[Script([0.5, 0.6, 0.7]), stopper, Crash()],
            verbose=0,
        )
    stopper.restore()
    reference, _ = train(EarlyStopping(patience=9), [0.5])
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_the_reason_is_printed(capsys):
    stopper = EarlyStopping(patience=2, verbose=1)
    train(stopper, [1.0, 1.1, 1.2, 1.3])
    assert stopper.stopped
    printed = capsys.readouterr().out
    assert (
        "Epoch 3: early stopping, Patience: val_loss has not improved on 1 for 2 epochs" in printed
    )
    assert "Restoring the weights of epoch 1" in printed


def test_a_second_fit_and_a_deep_copy_begin_anew():
    stopper = EarlyStopping(patience=2)
    _, first = train(stopper, [1.0, 1.1, 1.2, 1.3])
    _, second = train(stopper, [9.0, 8.0, 7.0, 6.0])
    twin = copy.deepcopy(stopper)
    _, third = train(twin, [1.0, 1.1, 1.2, 1.3])
    assert [len(h.epoch) for h in (first, second, third)] == [3, 4, 3]
    assert (stopper.best, twin.best) == (6.0, 1.0)
    assert twin.get_config() == stopper.get_config()


def test_a_state_that_is_taken_back_goes_on():
    values = [1.0, 0.5, 0.6, 0.7, 0.8, 0.9]
    whole = EarlyStopping(patience=3)
    _, history = train(whole, values)
    assert history.epoch[-1] == 4
    first = EarlyStopping(patience=3)
    train(first, values[:3])
    second = EarlyStopping.from_config(first.get_config())
    second.set_state(first.get_state())
    _, history = train(second, values, initial_epoch=3)
    assert history.epoch == [3, 4]
    assert (second.best, second.best_epoch, second.reason) == (0.5, 1, whole.reason)
    assert second.history == whole.history


@pytest.mark.parametrize("order", ["stopper first", "pruning first"])
def test_epochs_before_the_pruning_is_done_are_not_the_best(order):
    # One step an epoch. The lowest loss comes early, while the model is dense.
    values = [0.1, 0.1, 0.1, 0.9, 0.8, 0.85, 0.9, 0.95]
    pruning = Pruning(PolynomialDecay(0.0, 0.5, begin=0, end=4))
    stopper = EarlyStopping(patience=2)
    callbacks = [stopper, pruning] if order == "stopper first" else [pruning, stopper]
    model = small()
    history = model.fit(
        X,
        Y,
        epochs=len(values),
        validation_data=(X, Y),
        callbacks=[Script(values), *callbacks],
        verbose=0,
    )
    assert (stopper.best_epoch, stopper.best) == (4, 0.8)
    assert len(history.epoch) == 7
    assert (model.layers[0].kernel.numpy() == 0).sum() == 1


def test_a_run_that_ends_before_the_pruning_says_that_nothing_was_restored():
    pruning = Pruning(PolynomialDecay(0.0, 0.5, begin=0, end=100))
    with pytest.warns(UserWarning, match="ended before Pruning was done, at step 100, so no epoch"):
        small().fit(
            X, Y, epochs=2, validation_data=(X, Y), callbacks=[pruning, EarlyStopping()], verbose=0
        )


def test_a_pruning_that_leaves_too_few_epochs_is_said():
    pruning = Pruning(PolynomialDecay(0.0, 0.5, begin=0, end=1.0))
    with pytest.warns(UserWarning, match="The 0 epochs left are too few to stop with patience=2"):
        small().fit(
            X,
            Y,
            epochs=3,
            validation_data=(X, Y),
            callbacks=[pruning, EarlyStopping(patience=2)],
            verbose=0,
        )


def test_a_start_after_the_end_is_said():
    with pytest.warns(UserWarning, match="ended before start_from_epoch=9, so no epoch counted"):
        train(EarlyStopping(start_from_epoch=9), [1.0, 2.0])


def test_a_resumed_run_keeps_the_best_weights_of_the_first():
    first = EarlyStopping(patience=9)
    best, _ = train(first, [3.0, 1.0, 2.0])
    second = EarlyStopping(patience=9)
    second.set_state(first.get_state())
    model, _ = train(second, [5.0, 6.0, 7.0])  # epochs are counted from 0 again
    assert (second.best, second.best_epoch) == (1.0, 1)
    for a, b in zip(model.get_weights(), best.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_the_direction_of_one_model_is_not_kept_for_the_next():
    stopper = EarlyStopping("poisson")
    for metric, mode in (
        (keras.metrics.Poisson(name="poisson"), "min"),
        (keras.metrics.CosineSimilarity(name="poisson"), "max"),
    ):
        model = small()
        model.compile("sgd", "mse", metrics=[metric], run_eagerly=True)
        model.fit(X, Y, callbacks=[stopper], verbose=0)
        assert stopper.rule.resolved_mode() == mode


@pytest.mark.parametrize("state", [{}, {"rule": {}}])
def test_a_state_that_is_none(state):
    with pytest.raises(ValueError, match="`state`. Expected what `get_state` gave"):
        EarlyStopping().set_state(state)
    with pytest.raises(TypeError, match="`state`"):
        EarlyStopping().set_state(None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"patience": -1}, ValueError),
        ({"patience": "3"}, TypeError),
        ({"mode": "lower"}, ValueError),
        ({"start_from_epoch": -1}, ValueError),
        ({"min_delta": math.inf}, ValueError),
        ({"min_delta": True}, TypeError),
        ({"baseline": "x"}, TypeError),
        ({"monitor": 5}, TypeError),
        ({"restore_best_weights": "no"}, TypeError),
        ({"verbose": "yes"}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        EarlyStopping(**arguments)
