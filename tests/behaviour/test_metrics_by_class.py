"""A metric that reports a number a class, and losses that are arrays: in every place of the library
that reads what a training reports."""

import keras
import numpy as np
import pytest

from kerasopt.callbacks import (
    BackupAndRestore,
    EarlyStopping,
    ModelCheckpoint,
    Pruning,
    ReduceLROnPlateau,
)
from kerasopt.reporting import plot_history
from kerasopt.schedules import PolynomialDecay
from kerasopt.stopping import (
    Divergence,
    Extrapolation,
    GeneralizationGap,
    GeneralizationLoss,
    LowProgress,
    NonFinite,
    Patience,
    ProgressQuotient,
    Slope,
    Threshold,
    UpStrips,
)
from kerasopt.tuning import CompressedHyperModel, search

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(48) % 3]


def build(hp=None):
    units = 3 if hp is None else hp.Int("units", 2, 4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(3, activation="softmax"))
    metrics = ["accuracy", keras.metrics.F1Score()]
    model.compile("adam", "categorical_crossentropy", metrics=metrics)
    return model


def fit(*callbacks, **named):
    keras.utils.set_random_seed(1)
    usual = {"validation_split": 0.25, "batch_size": 12, "epochs": 3, "shuffle": False}
    return build().fit(X, Y, verbose=0, callbacks=list(callbacks), **{**usual, **named})


@pytest.fixture(scope="module")
def history():
    return fit()


def test_rules_beside_it_go_on(history):
    stopper = EarlyStopping(rules=NonFinite() | Divergence(factor=9.0), check=2)
    assert fit(stopper).history["loss"] == pytest.approx(history.history["loss"], rel=1e-6)
    assert not stopper.stopped


@pytest.mark.parametrize(
    "rules",
    [Patience(1), Patience(1, smoothing=0.5), Divergence(factor=2.0),
     GeneralizationGap(max_gap=1.0, train_monitor="f1_score")],
)  # fmt: skip
def test_a_rule_on_it_asks_for_a_scalar(rules):
    stopper = EarlyStopping("val_f1_score", mode="max", rules=rules)
    logs = {"f1_score": np.zeros(3), "val_f1_score": np.zeros(3)}
    with pytest.raises(ValueError, match=r"f1_score of shape \(3,\).*average="):
        stopper.rule.ask("epoch", 0, logs)


def test_a_callback_on_it_asks_for_a_scalar_in_the_first_epoch():
    with pytest.raises(ValueError, match=r"`monitor`.*val_f1_score of shape \(3,\).*average="):
        fit(EarlyStopping("val_f1_score", mode="max", patience=1))


ENTRY = "val_f1_score[1]"


@pytest.mark.parametrize(
    "make",
    [
        lambda name: Patience(2, cooldown=1, monitor=name, mode="max"),
        lambda name: Divergence(factor=1.5, monitor=name, mode="max"),
        lambda name: Extrapolation(monitor=name, min_epochs=4, mode="max"),
        lambda name: GeneralizationGap(0.05, monitor=name),
        lambda name: GeneralizationLoss(20, monitor=name),
        lambda name: LowProgress(100, 2, name.removeprefix("val_"), mode="max"),
        lambda name: ProgressQuotient(1e-3, 2, monitor=name),
        lambda name: Slope(4, monitor=name),
        lambda name: Threshold(0.5, monitor=name),
        lambda name: UpStrips(2, 2, monitor=name, mode="max"),
    ],
)
def test_a_rule_on_one_class_is_that_on_a_number(make):
    curve = [0.2, 0.5, 0.6, 0.55, 0.5, 0.45, 0.4, 0.3, 0.2, 0.1]
    of_class, of_number = make(ENTRY), make("val_f1_score")
    stops = 0
    for epoch, value in enumerate(curve):
        numbers = {"f1_score": 0.9 * value + 0.1, "val_f1_score": value, "learning_rate": 0.1}
        arrays = {n: np.array([0.0, v, 1.0]) for n, v in numbers.items() if n != "learning_rate"}
        verdict = of_class.update(epoch, {**arrays, "learning_rate": 0.1})
        plain = of_number.update(epoch, numbers)
        assert verdict.reason.replace("[1]", "") == plain.reason
        stops += verdict.stop
    assert stops


def test_non_finite_looks_at_the_class_that_is_named():
    logs = {"f1_score": np.array([np.nan, 0.5])}
    assert not NonFinite("f1_score[1]").update(0, logs).stop
    assert NonFinite("f1_score[0]").update(0, logs).reason == "NonFinite: f1_score[0] is nan"
    assert not NonFinite("f1_score[2]").update(0, logs).stop


def test_every_callback_that_compares_epochs_takes_a_class(tmp_path):
    stopper = EarlyStopping(ENTRY, rules=Patience(9) | Threshold(2.0, "f1_score[0]"), check=2)
    every = str(tmp_path / "{epoch}-{val_f1_score[1]:.6f}.weights.h5")
    usual = {"save_best_only": True, "save_weights_only": True}
    files = tmp_path / "best.weights.h5", tmp_path / "of-a-step.weights.h5"
    saving = [ModelCheckpoint(every, "loss", save_weights_only=True),
              ModelCheckpoint(files[0], ENTRY, **usual),
              ModelCheckpoint(files[1], "f1_score[0]", save_freq=2, **usual)]  # fmt: skip
    plateau = ReduceLROnPlateau(ENTRY, patience=1, min_delta=9.0)
    history = fit(stopper, *saving, plateau, epochs=4).history
    curve = [float(one[1]) for one in history["val_f1_score"]]
    best = int(np.argmax(curve))
    assert stopper.history == dict(enumerate(curve))
    assert (stopper.best, stopper.best_epoch) == (curve[best], best)
    assert saving[1].best == curve[best]
    assert saving[2].best is not None
    model = keras.models.clone_model(build())
    model.load_weights(files[0])
    kept = model.get_weights()
    model.load_weights(tmp_path / f"{best + 1}-{curve[best]:.6f}.weights.h5")
    for one, other in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert files[1].is_file()
    assert plateau.monitor_op is keras.ops.greater
    np.testing.assert_allclose(history["learning_rate"], [1e-3, 1e-3, 1e-4, 1e-5], rtol=1e-5)
    assert set(history) == {"accuracy", "f1_score", "loss", "learning_rate", "val_accuracy",
                            "val_f1_score", "val_loss"}  # fmt: skip
    assert "best, epoch" in str(plot_history(history, stopper).axes[0].get_legend().texts)


def test_a_class_is_waited_for_beside_a_pruning(tmp_path):
    path = tmp_path / "best.weights.h5"
    saving = ModelCheckpoint(path, ENTRY, save_best_only=True, save_weights_only=True)
    plateau = ReduceLROnPlateau(ENTRY, patience=1, min_delta=9.0)
    curve = fit(Pruning(PolynomialDecay(0.0, 0.5, 0, 4)), saving, plateau).history["val_f1_score"]
    assert saving.best == max(float(one[1]) for one in curve[1:])
    assert plateau.best is not None


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping("val_f1_score[3]"), EarlyStopping(rules=Patience(1, monitor="f1_score[3]")),
     ReduceLROnPlateau("val_f1_score[3]"),
     ModelCheckpoint("never.keras", "val_f1_score[3]", save_best_only=True)],
    ids=["monitor", "rule", "plateau", "checkpoint"],
)  # fmt: skip
def test_a_class_that_there_is_not_is_an_error_with_those_that_there_are(callback):
    with pytest.raises(ValueError, match=r"f1_score\[2\].*monitor='(val_)?f1_score\[3\]'"):
        fit(callback, epochs=1)


def test_a_class_goes_unheard_in_epochs_without_validation():
    stopper = EarlyStopping(ENTRY, patience=1)
    fit(stopper, validation_freq=2)
    assert list(stopper.history) == [1]


def test_a_plateau_of_all_classes_asks_for_one():
    with pytest.raises(ValueError, match=r"shape \(3,\).*'val_f1_score\[0\]'"):
        fit(ReduceLROnPlateau("val_f1_score"), epochs=1)


def test_a_nan_of_one_class_stops():
    verdict = NonFinite().update(0, {"loss": 1.0, "f1_score": np.array([0.5, np.nan])})
    assert verdict.stop
    assert "f1_score[1] is nan" in verdict.reason
    assert not NonFinite().update(0, {"batch_gradients": np.full((5, 2), np.nan)}).stop


class Dies(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 5:
            raise InterruptedError


def test_a_backup_within_an_epoch_goes_on_where_it_was(history, tmp_path):
    with pytest.raises(InterruptedError):
        fit(BackupAndRestore(tmp_path, 2), Dies())
    again = fit(BackupAndRestore(tmp_path, 2)).history
    for name, curve in history.history.items():
        np.testing.assert_allclose(np.array(again[name]), np.array(curve), rtol=1e-6, err_msg=name)


def test_it_is_plotted_with_a_line_a_class(history):
    figure = plot_history(history)
    axis = next(one for one in figure.axes if one.get_title() == "f1_score")
    assert len(axis.lines) == 6
    shown = [text.get_text() for text in axis.get_legend().get_texts()]
    assert shown == ["training, each of 3", "validation, each of 3"]


def test_it_is_searched_beside_and_by_one_class(tmp_path, recwarn):
    usual = {"max_trials": 1, "epochs": 2, "directory": tmp_path, "verbose": 0}
    found = search(build, X, Y, objective=ENTRY, project_name="a", pruner="median", **usual)
    assert found.objectives == [(ENTRY, "max")]
    assert not [one for one in recwarn if "No trial can be pruned" in str(one.message)]
    kept = found.best.metrics
    assert {"val_loss", "val_f1_score[0]", "val_f1_score[2]"} <= set(kept)
    again = found.best_model.evaluate(X[38:], Y[38:], return_dict=True, verbose=0)["f1_score"]
    assert kept["val_f1_score[1]"] == found.best.objectives[0] == pytest.approx(float(again[1]))
    with pytest.raises(ValueError, match=r"`objective`.*val_f1_score of shape \(3,\)"):
        search(build, X, Y, objective=("val_f1_score", "max"), project_name="b", **usual)


def test_a_compressed_model_reports_it(tmp_path):
    hypermodel = CompressedHyperModel(
        build, regularization=False, dropout=False, pruning=False, quantization="float32"
    )
    found = search(hypermodel, X, Y, objective="val_accuracy", max_trials=1, epochs=1,
                   directory=tmp_path, verbose=0)  # fmt: skip
    assert {"f1_score[0]", "val_f1_score[2]", "tflite_bytes"} <= set(found.best.metrics)


class LossOfEachSample(keras.Model):
    """A training step of its own whose loss has an axis too many, as is often seen."""

    def train_step(self, data):
        return {name: value[None] for name, value in super().train_step(data).items()}


def test_losses_of_one_element_are_numbers(tmp_path):
    def make(hp):
        inputs = keras.Input((4,))
        model = LossOfEachSample(inputs, keras.layers.Dense(hp.Int("n", 3, 3))(inputs))
        model.compile("adam", "mse")
        return model

    stopper = EarlyStopping("loss", rules=NonFinite() | Patience(3))
    found = search(make, X, Y, objective="loss", max_trials=1, epochs=2, directory=tmp_path,
                   verbose=0, callbacks=[stopper])  # fmt: skip
    assert found.best.objectives[0] == found.best.metrics["loss"] > 0.0
