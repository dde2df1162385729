"""Models that are too large are passed over; models without a `call` keep their weights."""

import contextlib

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from kerasopt.tuning import Tuner, search
from kerasopt.tuning.keras_tuner_tuners import GridSearch, RandomSearch

X = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
Y = X[:, :1]
FIT = {"validation_data": (X, Y), "epochs": 1, "verbose": 0}


def build(hp, built=True):
    layers = [keras.layers.Dense(hp.Int("width", 1, 40)), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((8,)), *layers] if built else layers)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(("kind", "built"), [(RandomSearch, True), (Tuner, False)])
def test_the_search_goes_on_until_it_has_its_trials(kind, built, tmp_path, capsys):
    # 8 w + w + w + 1 parameters: widths up to 8, a fifth of them all.
    large = [{"width": 40}, {"width": 39}, {"width": 38}]
    tuner = kind(lambda hp: build(hp, built), "val_loss", max_trials=4, max_model_size=81, seed=0,
                 directory=tmp_path, initial=large)  # fmt: skip
    tuner.search(X, Y, **{**FIT, "verbose": 1})
    records = tuner.results()
    assert [one.state for one in records] == ["COMPLETED"] * 4
    assert all(one.values["width"] <= 8 for one in records)
    assert tuner.oracle.passed_over() >= 3
    assert capsys.readouterr().out.count("more than 81 parameters are passed over") == 1


def test_a_space_of_nothing_else_ends_the_search(tmp_path):
    tuner = RandomSearch(lambda hp: build(hp), "val_loss", max_model_size=5, directory=tmp_path)
    with pytest.raises(RuntimeError, match="40 configurations.*more than 5.*`max_model_size`"):
        tuner.search(X, Y, **FIT)
    assert tuner.results() == []


@pytest.mark.parametrize("kind", [RandomSearch, GridSearch])
def test_a_larger_limit_takes_up_what_was_passed_over(kind, tmp_path):
    def narrow(hp):
        hp.Int("width", 8, 10)
        return build(hp)

    def widths(most):
        tuner = kind(narrow, "val_loss", max_model_size=most, directory=tmp_path, seed=0)
        tuner.search(X, Y, **FIT)
        return sorted(one.values["width"] for one in tuner.results())

    with pytest.raises(RuntimeError, match="3 configurations"):
        widths(5)
    assert widths(81) == [8]
    assert widths(81) == [8]
    assert widths(91) == [8, 9]
    assert widths(None) == [8, 9, 10]


@pytest.mark.parametrize("most", ["large", -1, 2.5])
def test_what_is_no_limit_is_said_before_the_search(most, tmp_path):
    with pytest.raises((TypeError, ValueError), match="`max_model_size`"):
        RandomSearch(build, "val_loss", max_model_size=most, directory=tmp_path)


def test_a_grid_leaves_them_out(tmp_path):
    def narrow(hp):
        hp.Int("width", 7, 10)
        return build(hp)

    tuner = GridSearch(narrow, "val_loss", max_model_size=81, directory=tmp_path)
    tuner.search(X, Y, **FIT)
    assert sorted(one.values["width"] for one in tuner.results()) == [7, 8]


@pytest.mark.parametrize(("failures", "ends"), [(3, True), (9, False)])
def test_under_an_oracle_of_keras_tuner_they_fail_as_they_do_there(failures, ends, tmp_path):
    def wide(hp):
        hp.Int("width", 20, 40)
        return build(hp)

    said, states = [], []
    for number, kind in enumerate((keras_tuner.Tuner, Tuner)):
        oracle = keras_tuner.oracles.RandomSearchOracle(
            keras_tuner.Objective("val_loss", "min"), max_trials=4, seed=0,
            max_consecutive_failed_trials=failures,
        )  # fmt: skip
        how = {"max_model_size": 81, "directory": tmp_path / str(number)}
        tuner = kind(hypermodel=wide, oracle=oracle, **how)
        with pytest.raises(RuntimeError) if ends else contextlib.nullcontext() as caught:
            tuner.search(X, Y, **FIT)
        said.append(str(caught.value) if ends else "")
        states.append([one.status for one in oracle.trials.values()])
    assert states[0] == states[1] == ["FAILED"] * (failures if ends else 4)
    if ends:
        assert "more than 81." in said[1]
        assert "`max_consecutive_failed_trials`, or leave `oracle` out" in said[1]


class WithoutCall(keras.Model):
    """As autoencoders and GANs are written: parts, and a training step of its own."""

    def __init__(self, late=False):
        super().__init__()
        parts = [keras.layers.Dense(4), keras.layers.Dense(8)]
        self.net = keras.Sequential(parts if late else [keras.Input((8,)), *parts])
        self.total = keras.metrics.Mean("total")

    @property
    def metrics(self):
        return [self.total]

    def look(self, x):
        x = x[0] if isinstance(x, tuple) else x
        return keras.ops.mean(keras.ops.square(self.net(x) - x))

    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = self.look(x)
        gradients = tape.gradient(loss, self.net.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.net.trainable_weights, strict=True))
        self.total.update_state(loss)
        return {"total": self.total.result()}

    def test_step(self, x):
        self.total.update_state(self.look(x))
        return {"total": self.total.result()}


def found_with(folder, late):
    def make(hp):
        model = WithoutCall(late)
        model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1)))
        return model

    return search(make, X, objective=("val_total", "min"), validation_data=X, max_trials=1,
                  epochs=2, verbose=0, directory=folder, fit={"batch_size": 16})  # fmt: skip


def test_a_class_without_call_keeps_its_weights(tmp_path):
    found = found_with(tmp_path, late=False)
    model = found.best_model
    assert float(model.look(X)) == pytest.approx(found.best.objectives[0], rel=1e-5)


class Late(keras.Model):
    """Built by its first call."""

    def __init__(self):
        super().__init__()
        self.top = keras.layers.Dense(1)

    def call(self, x):
        return self.top(x)


def test_a_subclassed_model_comes_back_built(tmp_path):
    def make(hp):
        model = Late()
        model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1)), "mse")
        return model

    found = search(make, X, Y, validation_data=(X, Y), max_trials=1, epochs=1, verbose=0,
                   directory=tmp_path)  # fmt: skip
    model = found.best_model
    assert model.built
    assert model.count_params() == 9
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(found.best.objectives[0], rel=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"epochs": "a"}, {"epochs": 0}, {"validation_split": 2.0}, {"verbose": "loud"}]
)
def test_wrong_arguments_of_fit_are_said_before_a_trial(arguments, tmp_path):
    with pytest.raises((TypeError, ValueError), match=f"`{next(iter(arguments))}`"):
        search(build, X, Y, "val_loss", max_trials=1, directory=tmp_path, **arguments)


def test_one_whose_layers_are_built_late_says_why_it_does_not(tmp_path):
    found = found_with(tmp_path, late=True)
    with pytest.raises(FileNotFoundError, match="WithoutCall has no `call`.*build"):
        _ = found.best_model
    kept = found.tuner.oracle.study.trials[0].user_attrs["weights"]
    assert kept.startswith("not kept: the class WithoutCall")


def test_the_variables_of_a_chief_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "tuner0")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
    with pytest.raises(RuntimeError, match="no chief.*`storage`"):
        Tuner(build, keras_tuner.Objective("val_loss", "min"), directory=tmp_path)
