"""What users of KerasTuner rely on: KerasTuner's own tuner goes the same way in each test."""

import threading

import keras
import keras_tuner
import numpy as np
import pytest

from kerasopt.tuning import OptunaOracle, RandomSearch, Tuner

errors = keras_tuner.errors
BOTH = pytest.mark.parametrize("kind", [RandomSearch, keras_tuner.RandomSearch])
X, Y = np.ones((8, 2)), np.ones(8)


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 8))])
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse")
    return model


def returning(result, runs):
    """Give a `HyperModel` whose `fit` returns one thing."""

    class Returns(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            runs.append(hp)
            return result

    return Returns()


WRONG = [
    ("a", "val_loss", errors.FatalTypeError),
    (None, "val_loss", errors.FatalTypeError),
    (["a"], "val_loss", errors.FatalTypeError),
    (object(), "val_loss", errors.FatalTypeError),
    ({"other": 1.0}, "val_loss", errors.FatalValueError),
    ({"val_loss": 1.0}, None, errors.FatalTypeError),
    ("a", None, errors.FatalTypeError),
]


@BOTH
@pytest.mark.parametrize(("result", "objective", "error"), WRONG)
def test_a_result_that_is_none_ends_the_search_at_once(kind, result, objective, error, tmp_path):
    runs = []

    class Returns(kind):
        def run_trial(self, trial, **kwargs):
            runs.append(trial.hyperparameters.Float("x", 0.0, 1.0))
            return result

    arguments = {"objective": objective, "max_trials": 4, "max_retries_per_trial": 2}
    for number, tuner in enumerate(
        [
            Returns(directory=tmp_path / "a", **arguments),
            kind(returning(result, runs), directory=tmp_path / "b", **arguments),
        ]
    ):
        with pytest.raises(error):
            tuner.search(verbose=0)
        assert len(runs) == number + 1


@BOTH
def test_a_list_of_results_counts_by_its_mean(kind, tmp_path):
    tuner = kind(returning([1.0, 2.0, 6.0], []), max_trials=1, directory=tmp_path)
    tuner.search(verbose=0)
    assert tuner.oracle.get_best_trials()[0].score == 3.0


@BOTH
def test_metrics_that_run_trial_gives_to_the_oracle_itself_count(kind, tmp_path):
    class Old(kind):
        def run_trial(self, trial, **kwargs):
            value = trial.hyperparameters.Float("x", 0.25, 1.0)
            self.oracle.update_trial(trial.trial_id, {"score": value})

    tuner = Old(objective=keras_tuner.Objective("score", "max"), max_trials=2, directory=tmp_path)
    with pytest.warns(DeprecationWarning, match="update_trial"):
        tuner.search(verbose=0)
    best = tuner.oracle.get_best_trials(2)
    assert [one.status for one in best] == ["COMPLETED"] * 2
    assert best[0].score == best[0].hyperparameters.values["x"] > best[1].score


@BOTH
def test_what_a_subclass_writes_again_is_called(kind, tmp_path):
    said = []

    class Mine(kind):
        def _build_and_fit_model(self, trial, *args, **kwargs):
            said.append(("fit", type(kwargs["callbacks"][0]).__name__))
            return super()._build_and_fit_model(trial, *args, **kwargs)

        def on_epoch_begin(self, trial, model, epoch, logs=None):
            said.append(("epoch begins", trial.trial_id[-1], model.built, epoch))

        def on_batch_begin(self, trial, model, batch, logs):
            said.append(("batch begins", batch))

        def on_batch_end(self, trial, model, batch, logs=None):
            said.append(("batch ends", batch, sorted(logs)))

        def on_epoch_end(self, trial, model, epoch, logs=None):
            said.append(("epoch ends", epoch, sorted(logs)))

    tuner = Mine(build, objective="loss", max_trials=1, directory=tmp_path)
    callbacks = [keras.callbacks.EarlyStopping("loss")]
    tuner.search(X, Y, batch_size=8, callbacks=callbacks, verbose=0)
    assert said == [
        ("fit", "EarlyStopping"),
        ("epoch begins", "0", True, 0),
        ("batch begins", 0),
        ("batch ends", 0, ["loss"]),
        ("epoch ends", 0, ["loss"]),
    ]
    assert tuner.get_best_models()[0].count_params() > 0


def test_a_subclass_may_build_and_fit_in_its_own_way(tmp_path):
    weights = []

    class Mine(RandomSearch):
        def _build_and_fit_model(self, trial, *args, **kwargs):
            model = build(trial.hyperparameters)
            history = model.fit(*args, **kwargs)
            weights.append(model.get_weights()[0])
            return history

    tuner = Mine(build, objective="loss", max_trials=1, directory=tmp_path)
    tuner.search(X, Y, verbose=0)
    found = tuner.get_best_models()[0].get_weights()[0]
    np.testing.assert_array_equal(found, weights[0])


@BOTH
def test_a_subclass_with_its_own_run_trial_may_have_models_of_any_kind(kind, tmp_path):
    class Any(kind):
        def run_trial(self, trial, x):
            return float(self.hypermodel.build(trial.hyperparameters)(x))

    def line(hp):
        slope = hp.Choice("slope", [1.0, 2.0])
        return lambda x: slope * x

    tuner = Any(line, max_trials=2, directory=tmp_path)
    assert [hp.name for hp in tuner.oracle.get_space().space] == ["slope"]
    tuner.search(3.0)
    assert tuner.oracle.get_best_trials()[0].score == 3.0


@BOTH
def test_callbacks_that_cannot_be_copied(kind, tmp_path):
    class Held(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

    tuner = kind(build, objective="loss", max_trials=1, directory=tmp_path)
    with pytest.raises(errors.FatalValueError):
        tuner.search(X, Y, callbacks=[Held()], verbose=0)


@BOTH
def test_arguments_of_the_constructor(kind, tmp_path):
    with pytest.raises(ValueError, match="Unrecognized arguments.*objektive"):
        kind(build, objektive="loss", directory=tmp_path)
    with pytest.warns(DeprecationWarning, match="logger"):
        tuner = kind(build, objective="loss", logger=1, directory=tmp_path, max_trials=7)
    assert tuner.directory is tmp_path
    assert tuner.remaining_trials == tuner.oracle.max_trials == 7


def test_the_closest_argument_is_named(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'heartbeat'"):
        Tuner(build, "loss", heartbeet=1.0, directory=tmp_path)


@pytest.mark.parametrize("kind", [Tuner, keras_tuner.Tuner])
def test_what_is_no_oracle(kind, tmp_path):
    with pytest.raises(ValueError, match="oracle"):
        kind(oracle="random", hypermodel=build, directory=tmp_path)


@BOTH
def test_a_tuner_is_loaded_again(kind, tmp_path):
    class Declares(kind):
        def run_trial(self, trial, **kwargs):
            return trial.hyperparameters.Float("x", 0.0, 1.0)

    Declares(max_trials=2, directory=tmp_path).search(verbose=0)
    again = Declares(max_trials=3, directory=tmp_path)
    again.reload()
    assert len(again.oracle.trials) == 2
    assert [hp.name for hp in again.oracle.get_space().space] == ["x"]
    again.search(verbose=0)
    assert len(again.oracle.trials) == 3


def test_a_search_without_a_limit_ends_with_its_space(tmp_path):
    space = keras_tuner.HyperParameters()
    space.Choice("c", [1, 2, 3])

    class Reads(keras_tuner.Tuner):
        def run_trial(self, trial, **kwargs):
            return trial.hyperparameters.get("c")

    oracle = OptunaOracle(max_trials=None, sampler="random", storage="memory", seed=0,
                          hyperparameters=space)  # fmt: skip
    tuner = Reads(oracle, directory=tmp_path)
    assert tuner.remaining_trials is None
    tuner.search(verbose=0)
    assert sorted(one.values["c"] for one in oracle.records()) == [1, 2, 3]
