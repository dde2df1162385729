"""What KerasTuner's guides do, with only the import changed: loops and `fit` of the user's own,
parts of a search space, trials that fail, several processes."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

import kerasopt.tuning as kt
from kerasopt.tuning.keras_tuner_tuners import RandomSearch

X = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
Y = X[:, :1]
GOAL = keras_tuner.Objective("score", "max")


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 4))])
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse", metrics=["mae"])
    return model


class OwnFit(keras_tuner.HyperModel):
    """Notes what its `fit` was given."""

    seen: list[dict[str, object]]

    def __init__(self):
        super().__init__()
        self.seen = []

    def build(self, hp):
        return build(hp)

    def _note(self, **named):
        self.seen.append(named)
        return {"score": 1.0}


# -- run_trial of the user's own ------------------------------------------------------------------


class Blackbox(RandomSearch):
    def run_trial(self, trial, x, y):
        return {"score": -((trial.hyperparameters.Float("a", 0, x) - y) ** 2)}


class Takes(RandomSearch):
    def run_trial(self, trial, *args, **kwargs):
        trial.hyperparameters.Int("n", 1, 100)
        self.given = (args, kwargs)
        return {"score": 0.0}


def test_run_trial_gets_what_search_was_given_and_no_more(tmp_path):
    tuner = Blackbox(None, GOAL, max_trials=3, directory=tmp_path, project_name="a")
    tuner.search(1.0, 0.5)
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 3
    for number, named in enumerate(({}, {"verbose": 0, "callbacks": [], "epochs": 2})):
        tuner = Takes(None, GOAL, max_trials=1, directory=tmp_path, project_name=f"b{number}")
        tuner.search(1, **named)
        assert tuner.given == ((1,), named)


# -- HyperModel.fit of the user's own -------------------------------------------------------------


class TakesNothing(OwnFit):
    def fit(self, hp, model, callbacks=None):
        return self._note(callbacks=callbacks)


class TakesAll(OwnFit):
    def fit(self, hp, model, *args, **kwargs):
        return self._note(**kwargs)


class TunesFit(OwnFit):
    def fit(self, hp, model, *args, **kwargs):
        rows = hp.Choice("batch_size", [8, 16])
        return model.fit(X, Y, *args, validation_split=0.2, batch_size=rows, **kwargs)


def test_fit_gets_what_search_was_given(tmp_path):
    once = {"max_trials": 1, "directory": tmp_path}
    tuner = kt.Tuner(TakesNothing(), GOAL, **once, project_name="a")
    tuner.search()
    assert len(tuner.hypermodel.seen[0]["callbacks"]) == 1
    tuner = kt.Tuner(TakesAll(), GOAL, **once, project_name="b")
    tuner.search(epochs=3)
    assert set(tuner.hypermodel.seen[0]) == {"callbacks", "epochs"}
    hypermodel = TakesNothing()
    kt.search(hypermodel, objective=GOAL, **once, project_name="c")
    assert len(hypermodel.seen) == 1
    hypermodel = TakesAll()
    kt.search(hypermodel, objective=GOAL, **once, project_name="d", verbose=0)
    assert set(hypermodel.seen[0]) == {"callbacks", "epochs", "verbose"}
    with pytest.raises(ValueError, match="argument `x`"):
        kt.search(build, **once, project_name="e")


def test_a_fit_that_has_its_own_data_needs_no_x(tmp_path):
    usual = {"max_trials": 1, "epochs": 1, "verbose": 0, "directory": tmp_path}
    found = kt.search(TunesFit(), objective="val_loss", **usual)
    assert found.best.values["batch_size"] in (8, 16)
    hypermodel = kt.CompressedHyperModel(
        TunesFit(), regularization=False, dropout=False, pruning=False, quantization="float32"
    )
    found = kt.search(hypermodel, objective="val_mae", project_name="compressed", **usual)
    assert found.best.metrics["tflite_bytes"] > 0


class OwnLoop(keras_tuner.HyperModel):
    """A custom training loop, which calls the callbacks itself and gives one number."""

    def build(self, hp):
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        optimizer = keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1, sampling="log"))
        loss = keras.losses.MeanSquaredError()
        for callback in callbacks:
            callback.set_model(model)
        best = float("inf")
        for epoch in range(2):
            with tf.GradientTape() as tape:
                value = loss(y, model(x, training=True))
            gradients = tape.gradient(value, model.trainable_weights)
            optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
            held = float(loss(validation_data[1], model(validation_data[0])))
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs={"my_metric": held})
            best = min(best, held)
        return best


def test_a_loop_of_ones_own(tmp_path):
    tuner = RandomSearch(OwnLoop(), keras_tuner.Objective("my_metric", "min"), max_trials=2,
                         directory=tmp_path)  # fmt: skip
    tuner.search(x=X, y=Y, validation_data=(X, Y))
    best = tuner.oracle.best_records()[0]
    assert {"rate"} == set(best.values)
    model = tuner.get_best_models()[0]
    error = float(np.mean((model.predict(X, verbose=0) - Y) ** 2))
    assert error == pytest.approx(best.objectives[0], rel=1e-4)


# -- tailoring the search space -------------------------------------------------------------------


def tailored(hp):
    hp.Float("rate", 1e-4, 1e-2, sampling="log")
    return build(hp)


FIT = {"validation_split": 0.2, "epochs": 1, "verbose": 0}


def test_one_hyperparameter_is_overwritten_or_fixed(tmp_path):
    for name, declare, wanted in (
        ("a", lambda hp: hp.Choice("units", [2, 3]), {2, 3}),
        ("b", lambda hp: hp.Fixed("units", 3), {3}),
    ):
        hp = keras_tuner.HyperParameters()
        declare(hp)
        tuner = RandomSearch(tailored, "val_loss", max_trials=2, hyperparameters=hp, seed=0,
                             directory=tmp_path, project_name=name)  # fmt: skip
        tuner.search(X, Y, **FIT)
        assert {one.values["units"] for one in tuner.results()} <= wanted
        assert len({one.values["rate"] for one in tuner.results()}) == 2


def test_only_what_was_declared_is_tuned(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("units", 1, 4)
    tuner = RandomSearch(tailored, "val_loss", max_trials=2, hyperparameters=hp, seed=0,
                         tune_new_entries=False, directory=tmp_path)  # fmt: skip
    tuner.search(X, Y, **FIT)
    assert {one.name for one in tuner.oracle.get_space().space} == {"units"}
    assert len({one.values["units"] for one in tuner.results()}) == 2
    with pytest.raises(RuntimeError, match="allow_new_entries. is .False"):
        RandomSearch(tailored, "val_loss", hyperparameters=hp, allow_new_entries=False,
                     tune_new_entries=False, directory=tmp_path, project_name="b")  # fmt: skip


def test_optunas_plots_have_the_values_as_build_saw_them(tmp_path):
    def choices(hp):
        hp.Choice("rate", [1e-3, 3e-3, 1e-2], ordered=True)
        hp.Int("batch", 16, 128, step=2, sampling="log")
        return build(hp)

    goals = [keras_tuner.Objective("val_loss", "min"), keras_tuner.Objective("val_mae", "min")]
    found = kt.search(choices, X, Y, objective=goals, max_trials=3, directory=tmp_path, **FIT)
    for study in (found.to_optuna(), found.to_optuna(tmp_path / "copy.log")):
        shown = study.get_trials(deepcopy=False)
        assert [one.params for one in shown] == [one.values for one in found.trials]
        assert [tuple(one.values) for one in shown] == [one.objectives for one in found.trials]
        assert study.metric_names == ["val_loss", "val_mae"]
    with pytest.raises(ValueError, match="without a study 'search'"):
        found.to_optuna(tmp_path / "copy.log")


# -- failed trials --------------------------------------------------------------------------------


def test_trials_that_fail(tmp_path):
    calls = []

    def fails(hp):
        units = hp.Int("units", 1, 4)
        calls.append(units)
        if units > 2:
            raise keras_tuner.errors.FailedTrialError("too many units")
        if units == 1 and 1 < calls.count(1) < 4:  # the first build only looks for the space
            raise ValueError("bad luck")
        return build(hp)

    tuner = RandomSearch(fails, "val_loss", max_trials=4, max_retries_per_trial=2, seed=0,
                         max_consecutive_failed_trials=3, directory=tmp_path)  # fmt: skip
    tuner.search(X, Y, **FIT)
    states = {one.values["units"]: one for one in tuner.results()}
    assert {units: one.state for units, one in states.items()} == {
        1: "COMPLETED", 2: "COMPLETED", 3: "FAILED", 4: "FAILED"
    }  # fmt: skip
    assert "too many units" in states[3].reason
    assert calls.count(3) == 1
