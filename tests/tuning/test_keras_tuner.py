"""KerasTuner's own tuners and oracles on this TensorFlow, and through our tuner; its faults."""

import math

import keras
import keras_tuner
import numpy as np
import optuna
import pytest

from kerasopt.tuning import OptunaOracle, Tuner

ORACLES = {
    "random": keras_tuner.oracles.RandomSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "grid": keras_tuner.oracles.GridSearchOracle,
}
OWN = {
    "random": keras_tuner.RandomSearch,
    "bayesian": keras_tuner.BayesianOptimization,
    "grid": keras_tuner.GridSearch,
}


def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 8))])
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse", run_eagerly=True)
    return model


X, Y = np.ones((16, 4)), np.ones(16)
FIT = {"validation_data": (X, Y), "verbose": 0}


@pytest.mark.parametrize("name", OWN)
def test_keras_tuners_own_tuners_run_with_what_the_extra_brings(name, tmp_path):
    tuner = OWN[name](build, "val_loss", max_trials=3, directory=tmp_path)
    tuner.search(X, Y, **FIT)
    assert len(tuner.oracle.end_order) == 3
    assert tuner.get_best_models()[0].count_params() > 0


def test_keras_tuners_hyperband_runs(tmp_path):
    tuner = keras_tuner.Hyperband(build, "val_loss", max_epochs=2, directory=tmp_path)
    tuner.search(X, Y, **FIT)
    assert tuner.get_best_models()[0].count_params() > 0


@pytest.mark.parametrize("name", ORACLES)
def test_our_tuner_takes_keras_tuners_oracles(name, tmp_path):
    oracle = ORACLES[name](objective=keras_tuner.Objective("val_loss", "min"), max_trials=3)
    tuner = Tuner(build, oracle=oracle, directory=tmp_path)
    tuner.search(X, Y, callbacks=lambda: [keras.callbacks.EarlyStopping("loss")], **FIT)
    assert [one.status for one in oracle.get_best_trials(3)] == ["COMPLETED"] * 3
    assert tuner.get_best_models()[0].count_params() > 0
    with pytest.raises(TypeError, match="needs an `OptunaOracle`"):
        tuner.pareto_front()


def test_our_tuner_takes_keras_tuners_hyperband_oracle(tmp_path):
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("val_loss", "min"), max_epochs=2
    )
    tuner = Tuner(build, oracle=oracle, directory=tmp_path)
    tuner.search(X, Y, **FIT)
    assert all(one.status == "COMPLETED" for one in oracle.trials.values())


def test_our_oracle_works_in_keras_tuners_tuner(tmp_path):
    class Own(keras_tuner.Tuner):
        pass

    oracle = OptunaOracle("val_loss", 4, seed=0)
    tuner = Own(oracle=oracle, hypermodel=build, directory=tmp_path)
    tuner.search(X, Y, **FIT)
    assert [one.status for one in oracle.trials.values()] == ["COMPLETED"] * 4
    assert tuner.get_best_models()[0].count_params() > 0
    assert tuner.remaining_trials == 0
    again = Own(oracle=OptunaOracle("val_loss", 6, seed=0), hypermodel=build, directory=tmp_path)
    again.search(X, Y, **FIT)
    assert len(again.oracle.trials) == 6


class Infinite(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        return {"score": math.inf if hp.get("units") < 5 else 1.0}


def test_infinity_wins_in_keras_tuner_and_never_through_our_tuner(tmp_path):
    score = keras_tuner.Objective("score", "max")
    theirs = keras_tuner.GridSearch(Infinite(), score, directory=tmp_path, project_name="a")
    theirs.search(verbose=0)
    assert theirs.oracle.get_best_trials()[0].score == math.inf
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=score, max_trials=8, max_consecutive_failed_trials=9
    )
    ours = Tuner(Infinite(), oracle=oracle, directory=tmp_path, project_name="b")
    ours.search(verbose=0)
    assert oracle.get_best_trials()[0].score == 1.0


class Stopped(keras_tuner.HyperModel):
    """Is broken off in its third trial, unless it is mended."""

    mended = False

    def __init__(self):
        super().__init__()
        self.count = 0

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        self.count += 1
        if self.count == 3 and not self.mended:
            raise KeyboardInterrupt
        return {"score": 1.0 * hp.get("units")}


def test_a_grid_that_is_broken_off_cannot_go_on_in_keras_tuner_and_can_here(tmp_path):
    """The day this fails, KerasTuner has mended its issue 1055."""
    score = keras_tuner.Objective("score", "max")

    def begin(kind, name, mended):
        hypermodel = Stopped()
        hypermodel.mended = mended
        tuner = kind(hypermodel, score, directory=tmp_path, project_name=name)
        tuner.search(verbose=0)
        return tuner

    from kerasopt.tuning import GridSearch

    for kind, name in ((keras_tuner.GridSearch, "theirs"), (GridSearch, "ours")):
        with pytest.raises(KeyboardInterrupt):
            begin(kind, name, mended=False)
    with pytest.raises(KeyError):
        begin(keras_tuner.GridSearch, "theirs", mended=True)
    records = begin(GridSearch, "ours", mended=True).results()
    assert sorted(one.values["units"] for one in records) == list(range(1, 9))


def test_the_private_names_of_optuna_that_are_used_are_there():
    """A trial's number in its storage, and the storage, to see which of two processes was first."""
    study = OptunaOracle(storage="memory").study
    trial = study.ask()
    frozen = study.get_trials(deepcopy=False)[0]
    assert frozen._trial_id == trial._trial_id
    assert study._storage.set_trial_state_values(frozen._trial_id, optuna.trial.TrialState.FAIL)


def test_the_private_names_of_keras_tuner_that_are_used_are_there():
    oracle = OptunaOracle(storage="memory")
    assert callable(super(OptunaOracle, oracle)._set_project_dir)
    assert callable(oracle.hyperparameters._exists)
    assert callable(keras_tuner.Tuner._build_hypermodel)
    assert callable(keras_tuner.Tuner._populate_initial_space)
    kinds = keras_tuner.engine.hyperparameters
    for name in ("Boolean", "Choice", "Fixed", "Float", "Int"):
        assert hasattr(kinds, name)
