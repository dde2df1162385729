"""The tuner with small models that really train: weights, callbacks, folds, files, pruning."""

import gc
import json
import threading
import warnings
import weakref

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from kerasopt.callbacks import Pruning
from kerasopt.tuning import Tuner
from kerasopt.tuning.keras_tuner_tuners import (
    BayesianOptimization,
    GridSearch,
    Hyperband,
    RandomSearch,
    trials_of_a_run,
)


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Dense(hp.Int("units", 4, 16, step=4), activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    # Without a trace, which takes longer than the few steps of a trial.
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"],
        run_eagerly=True,
    )  # fmt: skip
    return model


def traced(hp):
    model = build(hp)
    model.run_eagerly = False
    return model


@pytest.fixture
def parts(blobs):
    x, y = blobs
    return (x[:192], y[:192]), (x[192:], y[192:])


def searched(folder, parts, hypermodel=build, search=None, kind=Tuner, **kwargs):
    (x, y), held = parts
    usual = {"objective": "val_accuracy", "max_trials": 3, "seed": 0, "directory": folder}
    tuner = kind(hypermodel, **{**usual, **kwargs})
    fit = {"validation_data": held, "epochs": 3, "verbose": 0}
    tuner.search(x, y, **{**fit, **(search or {})})
    return tuner


def test_best_models_have_the_weights_of_their_best_epoch(parts, tmp_path):
    tuner = searched(tmp_path, parts, traced, objective="val_loss", search={"epochs": 12})
    for record, model in zip(tuner.oracle.best_records(), tuner.get_best_models(3), strict=True):
        loss, accuracy = model.evaluate(*parts[1], verbose=0)
        assert loss == pytest.approx(record.metrics["val_loss"], rel=1e-5)
        assert accuracy == pytest.approx(record.metrics["val_accuracy"], abs=1e-6)
        assert model.optimizer.iterations.numpy() > 0


def test_seeds_make_a_trial_the_same_whoever_runs_it(parts, tmp_path):
    both = [searched(tmp_path / name, parts, traced) for name in "ab"]
    assert [one.metrics for one in both[0].results()] == [one.metrics for one in both[1].results()]


def test_only_the_best_stay_on_the_disk(parts, tmp_path):
    tuner = searched(tmp_path, parts, max_trials=6, keep_best=2)
    best = [one.id for one in tuner.oracle.best_records()]
    kept = sorted(path.name for path in (tmp_path / "untitled_project").glob("trial_*"))
    assert kept == sorted(f"trial_{name}" for name in best[:2])
    with pytest.raises(FileNotFoundError, match="only those of the best 2"):
        tuner.load_model(best[4])
    with pytest.raises(ValueError, match="argument `trial`"):
        tuner.load_model("7777")


def test_nothing_is_kept_where_nothing_shall_be(parts, tmp_path):
    tuner = searched(tmp_path, parts, keep_best=0)
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * 3
    assert [path.name for path in (tmp_path / "untitled_project").iterdir()] == ["journal.log"]


def test_results_outlive_the_process_and_nothing_is_trained_again(parts, tmp_path):
    before = searched(tmp_path, parts)
    again = Tuner(build, "val_accuracy", 3, seed=0, directory=tmp_path)
    again.search(*parts[0], validation_data=parts[1], callbacks=lambda: pytest.fail("trained"))
    assert [one.to_dict() for one in again.results()] == [one.to_dict() for one in before.results()]
    weights = [model.get_weights() for model in (before.get_best_models()[0],
                                                 again.get_best_models()[0])]  # fmt: skip
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


class Held(keras.callbacks.Callback):
    """Cannot be copied."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


def test_callbacks_from_a_list_are_new_for_each_trial(parts, tmp_path):
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=0)
    seen = []
    noting = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: seen.append(1))
    searched(tmp_path, parts, search={"callbacks": [stopper, noting]})
    assert len(seen) == 3
    assert stopper.model is None


def test_callbacks_from_a_factory_may_be_anything_and_take_the_hyperparameters(parts, tmp_path):
    made = []

    def factory(hp):
        made.append(hp.get("units"))
        return [Held()]

    tuner = searched(tmp_path, parts, search={"callbacks": factory})
    assert made == [one.values["units"] for one in tuner.results()]


def test_a_list_that_cannot_be_copied_is_an_error_before_the_first_trial(parts, tmp_path):
    with pytest.raises(ValueError, match=r"Held cannot .*callbacks=lambda"):
        searched(tmp_path, parts, search={"callbacks": [Held()]})
    with pytest.raises(TypeError, match="callbacks"):
        searched(tmp_path, parts, search={"callbacks": ["tensorboard"]})
    assert Tuner(build, "val_accuracy", directory=tmp_path).results() == []


def test_no_callbacks_and_a_single_one(parts, tmp_path):
    one = keras.callbacks.EarlyStopping("loss")
    for number, callbacks in enumerate((None, one)):
        tuner = searched(tmp_path / str(number), parts, search={"callbacks": callbacks})
        assert all(record.state == "COMPLETED" for record in tuner.results())


class Measured(keras_tuner.HyperModel):
    """Measures something after training."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, **kwargs)
        return {
            "val_accuracy": history.history["val_accuracy"][-1],
            "weights_bytes": 4 * model.count_params(),
        }


def test_metrics_measured_after_training_are_objectives(parts, tmp_path):
    tuner = searched(tmp_path, parts, Measured(), objective="weights_bytes", max_trials=8,
                     sampler="tpe")  # fmt: skip
    best = tuner.oracle.best_records()[0]
    assert best.metrics["weights_bytes"] == min(o.metrics["weights_bytes"] for o in tuner.results())
    model = tuner.get_best_models()[0]
    assert 4 * model.count_params() == best.metrics["weights_bytes"]
    # What was measured after training is of the last weights, and so is the model.
    assert model.evaluate(*parts[1], verbose=0)[1] == pytest.approx(best.metrics["val_accuracy"])


def test_several_objectives_and_their_picture(parts, tmp_path):
    tuner = searched(tmp_path, parts, Measured(), objective=["val_accuracy", "weights_bytes"],
                     max_trials=6, sampler="nsga2")  # fmt: skip
    front = tuner.pareto_front()
    assert front
    assert all(len(one.objectives) == 2 for one in front)
    figure = tuner.plot_pareto(tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 5000
    assert "weights bytes (lower is better)" in figure.axes[0].get_xlabel()


def test_every_execution_is_kept_and_the_mean_counts(parts, tmp_path):
    tuner = searched(tmp_path, parts, objective="val_loss", executions_per_trial=3, max_trials=2)
    for record in tuner.results():
        values = [one["val_loss"] for one in record.executions]
        assert len(values) == 3
        assert len(set(values)) > 1
        assert record.objectives[0] == pytest.approx(np.mean(values))
    # The weights that are kept are those of the best execution.
    best = tuner.oracle.best_records()[0]
    loss = tuner.get_best_models()[0].evaluate(*parts[1], verbose=0)[0]
    assert loss == pytest.approx(min(one["val_loss"] for one in best.executions))


class Folds(keras_tuner.HyperModel):
    """Tells which samples it gets."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, x, y, validation_data, callbacks, **kwargs):
        train, held = x[:, 0], validation_data[0][:, 0]
        share = np.bincount(validation_data[1], minlength=3) / len(held)
        return {
            "val_accuracy": 0.5,
            "train": len(train),
            "held": len(held),
            "shared": len(np.intersect1d(train, held)),
            "sum": float(held.sum()),
            "first_class": float(share[0]),
        }


def test_folds_cover_the_data_once_and_keep_the_shares_of_classes(blobs, tmp_path):
    x, y = blobs
    x = x.copy()
    x[:, 0] = np.arange(256)
    tuner = Tuner(Folds(), "val_accuracy", 2, folds=4, directory=tmp_path)
    tuner.search(x, y, verbose=0)
    for record in tuner.results():
        assert [one["held"] for one in record.executions] == [64] * 4
        assert all(one["train"] == 192 and one["shared"] == 0 for one in record.executions)
        assert sum(one["sum"] for one in record.executions) == np.arange(256).sum()
        shares = [one["first_class"] for one in record.executions]
        assert max(shares) - min(shares) < 0.03
    first, second = ([one["sum"] for one in record.executions] for record in tuner.results())
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"validation_split": 0.2}, "validation_split"),
        ({"y": None}, "`y`"),
        ({"x": [[1.0]] * 256}, "`x`"),
        ({"x": np.ones((3, 12)), "y": np.zeros(3, int)}, "at most 3"),
    ],
)
def test_folds_of_what_cannot_be_divided(arguments, words, blobs, tmp_path):
    x, y = blobs
    tuner = Tuner(build, "val_accuracy", folds=4, directory=tmp_path)
    with pytest.raises((TypeError, ValueError), match=words):
        tuner.search(**{"x": x, "y": y, **arguments}, verbose=0)


def test_bad_trials_are_stopped_while_they_train(parts, tmp_path):
    initial = [{"units": 16, "rate": 1e-2}] * 0 + [
        {"units": 16, "rate": 1e-2}, {"units": 12, "rate": 1e-2}, {"units": 8, "rate": 1e-2},
        {"units": 4, "rate": 1.1e-4}, {"units": 4, "rate": 1.2e-4}, {"units": 4, "rate": 1.3e-4},
    ]  # fmt: skip
    tuner = searched(tmp_path, parts, pruner="asha", max_trials=6, initial=initial,
                     search={"epochs": 9})  # fmt: skip
    records = tuner.results()
    assert [one.state for one in records[:1]] == ["COMPLETED"]
    pruned = [one for one in records if one.state == "PRUNED"]
    assert pruned
    assert all(max(one.curve) < 9 for one in pruned)
    assert all("val_accuracy is" in one.reason for one in pruned)
    # They stopped at a rung: after 1 or 3 epochs.
    assert {max(one.curve) for one in pruned} <= {1, 3}
    assert tuner.oracle.best_records()[0].state == "COMPLETED"


def test_a_pruner_that_sees_nothing_says_so_once(parts, tmp_path):
    with pytest.warns(UserWarning, match="No trial can be pruned: 'weights_bytes'") as caught:
        searched(tmp_path, parts, Measured(), objective="weights_bytes", pruner="median")
    assert len([one for one in caught if "pruned" in str(one.message)]) == 1


def test_epochs_before_the_weight_pruning_has_ended_do_not_count(parts, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuner = searched(
            tmp_path, parts, max_trials=1, objective="val_loss",
            search={"epochs": 6, "callbacks": lambda: [Pruning(0.8)]},
        )  # fmt: skip
    record = tuner.results()[0]
    assert record.metrics["sparsity"] == pytest.approx(0.8, abs=0.03)
    kernels = [one for one in tuner.get_best_models()[0].get_weights() if one.ndim > 1]
    zeros = sum((one == 0).sum() for one in kernels) / sum(one.size for one in kernels)
    assert zeros == pytest.approx(0.8, abs=0.03)


def test_a_build_that_returns_no_model_ends_the_search_at_once(tmp_path):
    tuner = Tuner(lambda hp: None, "val_loss", directory=tmp_path)  # as KerasTuner's
    with pytest.raises(keras_tuner.errors.FatalTypeError, match=r"to return a .*: None of type No"):
        tuner.search(np.zeros((4, 2)), np.zeros(4), validation_split=0.5, verbose=0)
    assert len(tuner.oracle.trials) == 1


def test_models_that_are_too_large_are_failed_trials(parts, tmp_path):
    tuner = searched(tmp_path, parts, max_model_size=200, max_trials=4, sampler="grid",
                     max_consecutive_failed_trials=9)  # fmt: skip
    for record in tuner.results():
        size = 13 * record.values["units"] + 3 * record.values["units"] + 3
        assert (record.state == "FAILED") == (size > 200)
        assert ("parameters" in record.reason) == (size > 200)


def test_hyperparameters_and_metrics_are_written_for_tensorboard(parts, tmp_path):
    searched(tmp_path, parts, log_dir=tmp_path / "logs", max_trials=2)
    for name in ("trial_0000", "trial_0001"):
        (file,) = (tmp_path / "logs" / name).iterdir()
        tags = set()
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            tags |= {value.tag for value in event.summary.value}
        assert {"val_accuracy", "_hparams_/session_start_info"} <= tags


def test_a_tensorboard_callback_writes_to_a_folder_for_each_execution(parts, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path / "logs")
    searched(tmp_path, parts, max_trials=2, search={"callbacks": [board]})
    found = sorted(str(p.relative_to(tmp_path / "logs")) for p in (tmp_path / "logs").glob("*/*"))
    assert found == ["0000/execution0", "0001/execution0"]


def test_a_line_a_trial(parts, tmp_path, capsys):
    searched(tmp_path, parts, search={"verbose": 1})
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("trial 0000 (1/3) | val_accuracy ")
    assert "left" in lines[0]
    assert "| best " in lines[-1]
    searched(tmp_path, parts, max_trials=4, search={"verbose": 1})
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "3 of 4 trials have ended before."
    assert "(4/4)" in lines[1]
    searched(tmp_path / "quiet", parts)
    assert capsys.readouterr().out == ""


def test_ctrl_c_leaves_the_study_usable(parts, tmp_path):
    class Interrupting(keras_tuner.HyperModel):
        trials = 0

        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            type(self).trials += 1
            if type(self).trials == 2:
                raise KeyboardInterrupt
            return model.fit(*args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, parts, Interrupting())
    values = Tuner(build, "val_accuracy", directory=tmp_path).oracle.study.trials[1].params
    tuner = searched(tmp_path, parts, Interrupting())
    records = tuner.results()
    assert [one.state for one in records] == ["COMPLETED"] * 3
    assert [one.id for one in records] == ["0000", "0002", "0003"]
    assert records[1].values.keys() == values.keys()
    assert records[1].values["units"] == values["units"]
    assert Interrupting.trials == 4


def test_executions_in_a_tuner_with_its_own_run_trial(tmp_path):
    class Black(Tuner):
        def run_trial(self, trial, **kwargs):
            x = trial.hyperparameters.Float("x", 0.0, 1.0)
            return [{"score": x}, {"score": x + 1}]

    tuner = Black(objective=("score", "max"), max_trials=3, directory=tmp_path)
    tuner.search(verbose=0)
    assert [len(one.executions) for one in tuner.results()] == [2, 2, 2]


def test_what_the_user_has_frozen_stays_frozen(tmp_path):
    class Black(Tuner):
        def run_trial(self, trial, **kwargs):
            return trial.hyperparameters.Float("x", 0.0, 1.0)

    gc.freeze()
    frozen = gc.get_freeze_count()
    Black(objective=("score", "min"), max_trials=1, directory=tmp_path).search(verbose=0)
    # Frozen things die as others do, but to unfreeze takes out all.
    assert gc.get_freeze_count() > 0.9 * frozen


def test_a_table_of_the_best(parts, tmp_path, capsys):
    tuner = searched(tmp_path, parts)
    tuner.results_summary()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["trial", "state", "val_accuracy", "seconds", "units", "rate"]
    assert len(printed) == 4


@pytest.mark.parametrize(
    ("kind", "arguments", "count"),
    [
        (RandomSearch, {"max_trials": 2}, 2),
        (GridSearch, {"max_trials": 3}, 3),
        (BayesianOptimization, {"max_trials": 3, "num_initial_points": 2}, 3),
        (Hyperband, {"max_epochs": 3}, 5),
    ],
)
def test_keras_tuners_tuners_by_their_names(kind, arguments, count, parts, tmp_path):
    (x, y), held = parts
    tuner = kind(build, "val_accuracy", seed=1, directory=tmp_path, **arguments)
    tuner.search(
        x, y, validation_data=held, verbose=0, **({} if kind is Hyperband else {"epochs": 1})
    )
    assert len(tuner.results()) == count
    assert tuner.get_best_models()[0].count_params() > 0
    if kind is Hyperband:
        epochs = [max(one.curve) for one in tuner.results()]
        assert max(epochs) == 3


def test_hyperband_begins_as_many_trials_as_the_paper_says():
    # Li et al. (2018), table 1: R = 81, eta = 3; brackets 81, 34, 15, 8, 5.
    assert trials_of_a_run(81, 3) == 81 + 34 + 15 + 8 + 5


def test_records_are_plain_data(parts, tmp_path):
    tuner = searched(tmp_path, parts, max_trials=2)
    assert json.loads(json.dumps([one.to_dict() for one in tuner.results()]))


def test_weights_are_those_of_the_best_epoch_whatever_other_callbacks_do_after_it(parts, tmp_path):
    spoil = keras.callbacks.LambdaCallback()
    spoil.on_train_end = lambda logs=None: spoil.model.set_weights(
        [0 * weight for weight in spoil.model.get_weights()]
    )
    tuner = searched(tmp_path, parts, objective="val_loss", search={"callbacks": lambda: [spoil]})
    for record in tuner.results():
        loss = tuner.load_model(record).evaluate(*parts[1], verbose=0)[0]
        assert loss == pytest.approx(record.metrics["val_loss"], rel=1e-5)


class Twice(keras_tuner.HyperModel):
    """Calls `fit` twice, and returns the history of the second."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        model.fit(*args, **kwargs)
        model.optimizer.learning_rate = 0.5
        return model.fit(*args, **kwargs)


class Deaf(keras_tuner.HyperModel):
    """Does not hand the callbacks on."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, callbacks, **kwargs):
        return model.fit(*args, **kwargs)


@pytest.mark.parametrize("kind", [Twice, Deaf])
def test_weights_and_metrics_agree_in_unusual_fits(kind, parts, tmp_path):
    tuner = searched(tmp_path, parts, kind(), objective="val_loss", search={"epochs": 4})
    for record in tuner.results():
        loss = tuner.load_model(record).evaluate(*parts[1], verbose=0)[0]
        assert loss == pytest.approx(record.metrics["val_loss"], rel=1e-5)


def test_models_of_earlier_executions_are_let_go(parts, tmp_path):
    living, counts = [], []

    class Counting(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            living.append(weakref.ref(self.model))

        def on_train_end(self, logs=None):
            gc.collect()
            counts.append(sum(one() is not None for one in living))

    searched(tmp_path, parts, max_trials=2, executions_per_trial=4,
             search={"callbacks": lambda: [Counting()], "epochs": 1})  # fmt: skip
    assert max(counts) == 1


def test_of_a_long_front_models_from_all_along_it_are_kept(parts, tmp_path):
    class Trade(Measured):
        def fit(self, hp, model, *args, **kwargs):
            return {"score": hp.get("rate"), "cost": hp.get("rate") ** 2}

    tuner = searched(tmp_path, parts, Trade(), max_trials=9, keep_best=3,
                     objective=[("score", "max"), ("cost", "min")])  # fmt: skip
    front = tuner.pareto_front()
    assert len(front) == 9
    there = [(tmp_path / "untitled_project" / f"trial_{one.id}").exists() for one in front]
    # Both ends, and one between; which one depends on the order in which they came.
    assert there.count(True) == 3
    assert there[0]
    assert there[8]
