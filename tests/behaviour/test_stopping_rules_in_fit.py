"""Rules inside `fit`: which metric they watch, when they are asked, what is said and restored."""

import copy
import gc
import json
import math

import keras
import numpy as np
import pytest

from kerasopt.callbacks import EarlyStopping
from kerasopt.reporting import plot_history
from kerasopt.stopping import (
    Divergence,
    Extrapolation,
    GeneralizationGap,
    GeneralizationLoss,
    NonFinite,
    Patience,
    ProgressQuotient,
    Rule,
    Slope,
    Threshold,
    TimeBudget,
    UpStrips,
    Verdict,
)
from tests.behaviour.models import Script, X, Y, small, train


class Clock(keras.callbacks.Callback):
    """A clock that goes on by a second a step."""

    now = 0

    def __call__(self):
        return self.now

    def on_train_batch_begin(self, batch, logs=None):
        self.now += 1


def test_a_combination_stops_and_says_which_rule_it_was():
    rules = Patience(9) | GeneralizationLoss(5) & UpStrips(1, strip=2)
    stopper = EarlyStopping(rules=rules)
    _, history = train(stopper, [1.0, 0.8, 0.85, 0.9, 0.95])
    assert len(history.epoch) == 4
    assert stopper.reason.startswith("GeneralizationLoss: val_loss is 0.9, 12.5 % worse than")
    assert " and UpStrips: val_loss has got worse in 1 strips of 2 epochs running" in stopper.reason
    assert "Patience" not in stopper.reason
    assert (stopper.stopped, stopper.stopped_epoch) == (True, 3)
    assert (stopper.best_epoch, stopper.best_value) == (1, 0.8)


def test_a_rule_without_a_metric_takes_the_callbacks_and_its_direction():
    stopper = EarlyStopping("score", mode="max", rules=Patience(2) | Threshold(0.9))
    _, history = train(stopper, [0.5, 0.6, 0.55, 0.95, 0.99], "score")
    assert len(history.epoch) == 4
    assert stopper.reason == "Threshold: score is 0.95 and has reached 0.9"


def test_the_best_epoch_is_that_of_the_first_rule_that_names_a_metric():
    stopper = EarlyStopping(
        rules=NonFinite("loss") | Patience(2, monitor="score", mode="max") | Patience(3)
    )
    _, history = train(stopper, [0.5, 0.6, 0.55, 0.55], "score", validation_data=(X, Y))
    assert stopper.monitor == "score"
    assert (len(history.epoch), stopper.best_epoch) == (4, 1)
    assert stopper.history == {0: 0.5, 1: 0.6, 2: 0.55, 3: 0.55}


def test_the_metric_of_the_callback_comes_before_those_of_its_rules():
    stopper = EarlyStopping("val_loss", rules=Patience(2, monitor="score", mode="max"))
    train(stopper, [0.5, 0.6, 0.55, 0.55], "score", validation_data=(X, Y))
    assert stopper.monitor == "val_loss"
    assert stopper.best_epoch == 3  # the loss falls to the end


def test_every_rule_learns_its_direction_from_the_metric():
    model = small()
    model.compile("sgd", "mse", metrics=[keras.metrics.AUC(name="area")], run_eagerly=True)
    rule = Patience(1, monitor="area") | Patience(5, monitor="loss")
    model.fit(X, Y, callbacks=[EarlyStopping(rules=rule)], verbose=0)
    assert [leaf.resolved_mode() for leaf in rule.leaves()] == ["max", "min"]


def test_a_rule_of_an_unknown_direction_asks_for_mode_before_the_second_epoch():
    model = small()
    with pytest.raises(ValueError, match="from the name 'score'.*Pass `mode="):
        model.fit(
            X,
            Y,
            epochs=3,
            callbacks=[
                Script([1.0] * 3, "score"),
                EarlyStopping("loss", rules=Patience(1) | Patience(1, monitor="score")),
            ],
            verbose=0,
        )
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize(
    "rule",
    [
        Patience(1, monitor="val_acuracy", mode="max"),
        NonFinite("val_acuracy") | Patience(1),
        GeneralizationGap(0.1, train_monitor="los"),
        ProgressQuotient(1.0, train_monitor="los"),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_a_metric_of_any_rule_that_does_not_exist_is_an_error(rule):
    model = small()
    with pytest.raises(ValueError, match=r"\['loss', 'mae', 'val_loss', 'val_mae'\]"):
        model.fit(
            X,
            Y,
            epochs=5,
            validation_data=(X, Y),
            callbacks=[EarlyStopping(rules=rule)],
            verbose=0,
        )
    assert int(model.optimizer.iterations) == 1


def test_a_metric_that_was_there_once_may_be_missing_later():
    stopper = EarlyStopping("val_score", patience=3, mode="max")
    values = [0.5, None, 0.6, None]
    _, history = train(stopper, values, "val_score", validation_data=(X, Y))
    assert stopper.history == {0: 0.5, 2: 0.6}
    assert len(history.epoch) == 4


def test_a_test_step_of_ones_own_may_have_metrics_that_training_has_not():
    class Own(keras.Sequential):
        def test_step(self, data):
            return {"quality": keras.ops.mean(data[0])}

    model = Own([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    stopper = EarlyStopping("val_quality", mode="max", patience=9)
    model.fit(
        X,
        Y,
        epochs=4,
        validation_data=(X, Y),
        validation_freq=2,
        callbacks=[stopper],
        verbose=0,
    )
    assert stopper.history == {1: 1.0, 3: 1.0}


# Within an epoch.


class Poisoned(keras.utils.PyDataset):
    """Give ten batches, from the one at `bad` on NaN."""

    def __init__(self, bad):
        super().__init__()
        self.bad = bad

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return X * (math.nan if index >= self.bad else 1.0), Y


class Batches(keras.callbacks.Callback):
    seen = 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen = batch + 1


def poisoned_fit(stopper, bad, steps_per_execution=1, single=False, **arguments):
    model = small()
    model.compile("sgd", "mse", steps_per_execution=steps_per_execution, **arguments)
    batches = Batches()
    history = model.fit(
        Poisoned(bad),
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=stopper if single else [stopper, batches],
    )
    return history, batches.seen


@pytest.mark.parametrize(
    ("check", "steps_per_execution", "last"),
    [(1, 1, 5), (4, 1, 8), (1, 4, 8), (3, 2, 6), (100, 1, 10)],
)
def test_a_nan_stops_within_the_epoch(check, steps_per_execution, last):
    stopper = EarlyStopping(rules=NonFinite(), check=check)
    history, seen = poisoned_fit(stopper, bad=4, steps_per_execution=steps_per_execution)
    assert (len(history.epoch), seen) == (1, last)
    assert stopper.stopped
    assert "NonFinite: loss is nan" in stopper.reason
    if check < 100:
        assert stopper.reason.endswith(f", at step {last}")


def test_it_does_so_where_it_is_the_only_callback_and_no_list():
    stopper = EarlyStopping(rules=NonFinite(), check=1)
    poisoned_fit(stopper, bad=4, single=True)
    assert stopper.reason.endswith("at step 5")


def test_steps_are_counted_over_epochs():
    clock = Clock()
    stopper = EarlyStopping(rules=TimeBudget(12, clock=clock), check=7)
    history, seen = poisoned_fit([clock, stopper], bad=99)
    # Asked at step 7, at the epoch's end and at step 14.
    assert (history.epoch, seen) == ([0, 1], 4)
    why = "TimeBudget: 14.0 s have passed of a budget of 12 s, at step 14"
    assert stopper.reason == why


def test_patience_on_a_validation_metric_counts_epochs_only():
    stopper = EarlyStopping(patience=2, check=1)
    _, history = train(stopper, [1.0, 1.1, 1.2, 1.3])
    assert len(history.epoch) == 3


def test_guards_do_not_wait_for_the_first_epoch_that_counts():
    arguments = {"start_from_epoch": 5, "rules": Divergence(2.0, monitor="val_loss") | Patience(1)}
    stopper = EarlyStopping(**arguments)
    with pytest.warns(UserWarning, match="training ended before start_from_epoch=5"):
        _, history = train(stopper, [1.0, 1.1, 3.0, 1.0])
    assert len(history.epoch) == 3
    assert "Divergence: val_loss is 3, worse than 2" in stopper.reason


# What is restored, and what is left behind.


def test_the_best_weights_on_disk_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    values = [1.0, 0.5, 0.6, 0.4, 0.7, 0.8]
    memory, disk = EarlyStopping(patience=2), EarlyStopping(patience=2, keep_best="disk")
    expected, _ = train(memory, values)
    found, _ = train(disk, values)
    for a, b in zip(expected.get_weights(), found.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert len(list(tmp_path.rglob("*.npz"))) == 2  # one a variable, of one copy
    del disk
    gc.collect()
    assert list(tmp_path.rglob("*.npz")) == []


def test_weights_of_bfloat16_on_disk():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, dtype="bfloat16")])
    model.compile("sgd", "mse")
    stopper = EarlyStopping("loss", keep_best="disk")
    model.fit(X, np.zeros((8, 3)), callbacks=[stopper], verbose=0)
    assert [str(w.dtype) for w in stopper.best_weights] == ["bfloat16", "bfloat16"]
    before = model.get_weights()
    model.set_weights([w * 0 for w in before])
    stopper.restore()
    for a, b in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(a, b)


def test_one_copy_is_kept_and_a_state_is_not_part_of_it():
    stopper = EarlyStopping(patience=9)
    first = {}

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            first[epoch] = (id(stopper.best_weights[0]), stopper.get_state()["best_weights"][0])

    model = small()
    model.fit(X, Y, epochs=2, callbacks=[Script([1.0, 0.5]), stopper, Look()], verbose=0)
    assert first[0][0] == first[1][0]
    assert not np.array_equal(first[0][1], first[1][1])


def test_another_callback_that_stops_the_run():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    model, stopper = small(), EarlyStopping(patience=9)
    model.fit(
        X,
        Y,
        epochs=9,
        callbacks=[Script([0.5, 0.6, 0.7]), stopper, Stop()],
        verbose=0,
    )
    assert not stopper.stopped
    reference, _ = train(EarlyStopping(patience=9), [0.5])
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_without_any_metric_to_compare_the_last_weights_stay(capsys, recwarn):
    clock = Clock()
    stopper = EarlyStopping(rules=TimeBudget(2, clock=clock), verbose=1)
    history = small().fit(X, Y, epochs=9, callbacks=[clock, stopper], verbose=0)
    assert len(history.epoch) == 2
    assert (
        "No val_loss was reported: the weights are those of the last step"
        in capsys.readouterr().out
    )
    assert not [w for w in recwarn if "EarlyStopping" in str(w.message)]


@pytest.mark.parametrize("check", ["epoch", 1])
def test_all_replicas_stop_at_the_same_step(check, mirrored):
    values = [1.0, 0.8, 0.9, 0.95, 0.99, 0.5]
    with mirrored.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    stopper = EarlyStopping(rules=Patience(2) | NonFinite(), check=check)
    history = model.fit(
        X, Y, epochs=6, callbacks=[Script(values), stopper], batch_size=4, verbose=0
    )
    assert len(history.epoch) == 4
    assert (stopper.best_epoch, stopper.stopped_epoch) == (1, 3)
    kernel = mirrored.experimental_local_results(model.layers[0].kernel.value)
    assert len(kernel) == 2
    assert np.array_equal(kernel[0].numpy(), stopper.best_weights[0])
    assert np.array_equal(kernel[1].numpy(), stopper.best_weights[0])
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 8


# Configuration, state, words.


class Never(Rule):
    """A rule of the user's own."""

    def __init__(self, word="never"):
        self.word = word
        self.reset()

    def reset(self):
        self.asked = 0

    def update(self, step, metrics):
        self.asked += 1
        return Verdict(self.asked >= 3, "enough")

    def get_config(self):
        return {"word": self.word}

    def get_state(self):
        return {"asked": self.asked}

    def set_state(self, state):
        self.asked = state["asked"]


def test_a_rule_of_ones_own():
    stopper = EarlyStopping("val_loss", rules=Never("x") | Patience(9), check=50)
    again = EarlyStopping.from_config(
        json.loads(json.dumps(stopper.get_config())), {"Never": Never}
    )
    assert again.get_config() == stopper.get_config()
    twin = copy.deepcopy(again)
    _, history = train(twin, [1.0, 0.9, 0.8, 0.7])
    assert len(history.epoch) == 3
    assert twin.reason == "enough"
    assert again.rule.leaves()[0].asked == 0


def test_a_state_of_rules_goes_on():
    def make():
        return EarlyStopping(rules=UpStrips(2, strip=1) & GeneralizationLoss(30))

    values = [1.0, 0.5, 0.6, 0.7, 0.8]
    whole, first, second = make(), make(), make()
    train(whole, values)
    train(first, values[:3])
    second.set_state(first.get_state())
    train(second, values, initial_epoch=3)
    assert whole.reason
    assert second.reason == whole.reason
    assert second.get_state()["rule"] == whole.get_state()["rule"]


def test_the_reason_is_in_the_plot():
    stopper = EarlyStopping(patience=2)
    _, history = train(stopper, [1.0, 1.1, 1.2, 1.3])
    figure = plot_history(history, stopper)
    text = figure.get_supxlabel().replace("\n", " ")
    assert text == f"Stopped: {stopper.reason}"


@pytest.mark.parametrize(
    "rule",
    [
        Patience(1, monitor="loss"),
        Slope(2, monitor="loss"),
        Extrapolation(min_epochs=4, monitor="loss"),
        GeneralizationLoss(0.001, monitor="loss"),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_what_counts_in_epochs_is_not_asked_within_one(rule):
    stopper = EarlyStopping(rules=rule, check=1)
    history, seen = poisoned_fit(stopper, bad=99)
    assert (history.epoch, seen) == ([0, 1, 2], 10)


def test_a_goal_is_reached_within_an_epoch():
    stopper = EarlyStopping(rules=Threshold(1e9, monitor="loss"), check=4)
    history, seen = poisoned_fit(stopper, bad=99)
    assert (history.epoch, seen) == ([0], 4)


def test_the_direction_of_a_metric_of_one_of_several_outputs():
    inputs = keras.Input((2,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    quality = {"a": [keras.metrics.R2Score(name="quality")]}
    model.compile("sgd", {"a": "mse", "b": "mse"}, metrics=quality, run_eagerly=True)
    stopper = EarlyStopping("val_a_quality", patience=9)
    both = {"a": Y, "b": Y}
    model.fit(X, both, epochs=2, validation_data=(X, both), callbacks=[stopper], verbose=0)
    assert stopper.rule.resolved_mode() == "max"


def test_a_rule_serves_one_callback_of_a_fit():
    rule = Patience(3, monitor="loss")
    with pytest.raises(ValueError, match="`rules`.*no other callback of this fit has"):
        small().fit(
            X, Y, callbacks=[EarlyStopping(rules=rule), EarlyStopping(rules=rule)], verbose=0
        )
    # One after the other is fine, and leaves no mark.
    again = Patience(3)
    EarlyStopping("loss", rules=again)
    small().fit(X, Y, validation_data=(X, Y), callbacks=[EarlyStopping(rules=again)], verbose=0)
    assert again.metric == "val_loss"


def test_a_state_of_other_rules_is_refused_and_nothing_is_lost():
    first, second = EarlyStopping(patience=2), EarlyStopping(rules=Patience(2) | NonFinite())
    train(second, [1.0, 0.5])
    with pytest.raises(
        ValueError, match=r"'NonFinite\(\)'.*Received: state=.'Patience\(val_loss\)'"
    ):
        second.set_state(first.get_state())
    assert second.best_value == 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"rules": 5}, TypeError, "`rules`"),
        ({"rules": [Patience(1), NonFinite()]}, TypeError, r"Combine several with `\|`"),
        ({"rules": Patience(1), "patience": 3}, ValueError, r"`rules=Patience\(patience=3\)"),
        ({"rules": Patience(1), "min_delta": 1.0}, ValueError, r"Patience\(min_delta=1.0\)"),
        ({"rules": Patience(1), "baseline": 0.0}, ValueError, r"rules=Patience\(baseline=0.0\)"),
        ({"check": 0}, ValueError, "`check`"),
        ({"check": "step"}, ValueError, "`check`"),
        ({"check": 1.5}, TypeError, "`check`"),
        ({"keep_best": "cloud"}, ValueError, "`keep_best`"),
        ({"probe": (X, Y)}, ValueError, "`probe`.*no rule looks at gradients"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        EarlyStopping(**arguments)
