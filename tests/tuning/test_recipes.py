"""What KerasTuner's guides do, with only the import changed: loops and `fit` of the user's own,
parts of a search space, trials that fail, several processes."""

import keras
import keras_tuner
import numpy as np
import pytest

import kerasopt.tuning as kt
from kerasopt.tuning.tuners import RandomSearch

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
