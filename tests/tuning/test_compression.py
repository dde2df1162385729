import json
import pickle
import signal

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from sklearn.datasets import load_digits

from kerasopt import pruning
from kerasopt.callbacks import EarlyStopping
from kerasopt.export import ExportError, inspect
from kerasopt.tuning.compression import CompressedHyperModel

# What is measured is the compression, so the rest is held still.
PLAIN = {"regularization": False, "dropout": False, "pruning": False, "quantization": "float32"}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    return (x[:1000], y[:1000]), (x[1000:1300], y[1000:1300])


def build(hp):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(hp.Int("units", 24, 48))])
    model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(hp.Float("rate", 3e-3, 1e-2, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Folder(keras.callbacks.Callback):
    def __init__(self, trial_folder):
        super().__init__()
        self.trial_folder = trial_folder


def run(hypermodel, *arguments, values=None, **named):
    """Build and fit as a tuner does, and give the model and its metrics."""
    hp = keras_tuner.HyperParameters()
    hypermodel.build(hp)
    hp.values.update(values or {})
    model = hypermodel.build(hp)
    settings = {"epochs": 4, "verbose": 0, "callbacks": [], **named}
    return model, hypermodel.fit(hp, model, *arguments, **settings)


def accuracy(file, x, y):
    """Measure a file with LiteRT alone."""
    interpreter = Interpreter(model_path=str(file))
    [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(taken["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], x)
    interpreter.invoke()
    return float((interpreter.get_tensor(given["index"]).argmax(-1) == y).mean())


# One trial with everything in it.


@pytest.fixture(scope="module")
def trial(digits, tmp_path_factory):
    keras.utils.set_random_seed(3)
    folder = tmp_path_factory.mktemp("trial") / "of its own"
    hypermodel = CompressedHyperModel(
        build,
        regularization={"kinds": ["l2"]},
        dropout={"rate": 0.2},
        pruning={"final_sparsity": 0.75, "scopes": ["layer"]},
        stopping={"patience": 3, "monitor": "val_accuracy"},
        quantization="float32",
    )
    model, metrics = run(
        hypermodel, *digits[0], validation_data=digits[1], epochs=25, callbacks=[Folder(folder)]
    )
    return model, metrics, folder


def test_the_file_that_is_kept_is_the_one_that_was_measured(trial, digits):
    _, metrics, folder = trial
    assert sorted(one.name for one in folder.iterdir()) == ["model.tflite", "report.json"]
    file = folder / "model.tflite"
    assert metrics["tflite_bytes"] == file.stat().st_size
    assert metrics["tflite_accuracy"] == pytest.approx(accuracy(file, *digits[1]), abs=1e-6)
    assert metrics["tflite_latency_ms"] > 0
    seen = inspect(file)
    assert metrics["tflite_zipped_bytes"] == seen.zipped_bytes < metrics["tflite_bytes"]
    assert metrics["tflite_peak_memory"] == seen.peak_memory > 0
    report = json.loads((folder / "report.json").read_text())
    assert report["cost"]["file_bytes"] == metrics["tflite_bytes"]
    assert report["accuracy"]["sparse_categorical_accuracy"]["file"] == metrics["tflite_accuracy"]


def test_the_file_is_as_sparse_as_was_asked(trial):
    model, metrics, _ = trial
    assert metrics["sparsity"] == pytest.approx(0.75)
    assert [row.sparsity for row in pruning.sparsity(model).rows] == [0.75, 0.75]


def test_the_metrics_of_keras_are_those_of_the_weights_that_were_exported(trial, digits):
    model, metrics, _ = trial
    again = model.evaluate(*digits[1], verbose=0, return_dict=True)
    assert {name: metrics[f"val_{name}"] for name in again} == pytest.approx(again)
    assert metrics["val_accuracy"] == pytest.approx(metrics["tflite_accuracy"], abs=0.004)
    assert metrics["val_accuracy"] > 0.8
    assert all(type(value) is float for value in metrics.values())


def test_dropout_and_penalty_are_in_the_compiled_model(trial):
    model, _, _ = trial
    assert [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert model.layers[0].kernel_regularizer.get_config()["l2"] == pytest.approx(1e-6)
    assert isinstance(model.optimizer, keras.optimizers.Adam)


# Data in other forms.


def test_int8_is_calibrated_on_the_training_samples_and_a_split_is_keras_own(digits, tmp_path):
    hypermodel = CompressedHyperModel(
        build, **{**PLAIN, "quantization": ["int8", "float16"]}, export={"io": "float32"}
    )
    seen = keras.callbacks.History()
    x, y = digits[0]
    callbacks = [Folder(tmp_path), seen]
    _, metrics = run(hypermodel, x, y, validation_split=0.255, callbacks=callbacks)
    last = {name: values[-1] for name, values in seen.history.items()}
    assert {name: metrics[name] for name in last} == pytest.approx(last, rel=1e-5)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["mode"], report["calibration_samples"], report["compared_on"]) == (
        "int8",
        256,
        "validation_data",
    )
    held = x[745:], y[745:]
    file = tmp_path / "model.tflite"
    assert metrics["tflite_accuracy"] == pytest.approx(accuracy(file, *held), abs=1e-6)


def test_batches_train_calibrate_and_validate(digits):
    (x, y), held = digits
    hypermodel = CompressedHyperModel(build, **{**PLAIN, "quantization": "int8"})
    model, metrics = run(
        hypermodel,
        tf.data.Dataset.from_tensor_slices((x, y)).batch(50),
        validation_data=tf.data.Dataset.from_tensor_slices(held).batch(50),
        epochs=1,
    )
    again = model.evaluate(*held, verbose=0, return_dict=True)
    assert metrics["val_loss"] == pytest.approx(again["loss"], rel=1e-5)
    assert metrics["tflite_bytes"] > 0
    assert "tflite_accuracy" not in metrics


def test_data_of_ones_own_are_taken_before_those_of_training(digits):
    (x, y), (held, labels) = digits
    hypermodel = CompressedHyperModel(
        build, **PLAIN, calibration=x[:100], validation_data=(held[:50], labels[:50])
    )
    model, metrics = run(hypermodel, x, y, epochs=1)
    right = model.predict(held[:50], verbose=0).argmax(-1) == labels[:50]
    assert metrics["tflite_accuracy"] == pytest.approx(right.mean(), abs=0.021)
    assert "val_loss" not in metrics


def two_sided(hp):
    a, b = keras.Input((32,), name="a"), keras.Input((32,), name="b")
    both = keras.layers.Dense(16, "relu")(keras.layers.Concatenate()([a, b]))
    digit = keras.layers.Dense(10, "softmax", name="digit")(both)
    odd = keras.layers.Dense(1, "sigmoid", name="odd")(both)
    model = keras.Model({"a": a, "b": b}, {"digit": digit, "odd": odd})
    losses = {"digit": "sparse_categorical_crossentropy", "odd": "binary_crossentropy"}
    model.compile("adam", losses, metrics={"digit": ["accuracy"], "odd": ["accuracy"]})
    return model


def test_several_inputs_and_outputs_have_accuracies_of_their_own(digits, tmp_path):
    (x, y), _ = digits
    seen = keras.callbacks.History()
    _, metrics = run(
        CompressedHyperModel(two_sided, **{**PLAIN, "quantization": "int8"}),
        {"b": x[:, 32:], "a": x[:, :32]},
        {"digit": y, "odd": y % 2},
        validation_split=0.3,
        callbacks=[seen, Folder(tmp_path)],
    )
    for name in ("val_loss", "val_digit_accuracy", "val_odd_accuracy"):
        assert metrics[name] == pytest.approx(seen.history[name][-1], rel=1e-5)
    for name in ("digit", "odd"):
        right = metrics[f"val_{name}_accuracy"]
        assert metrics[f"tflite_{name}_accuracy"] == pytest.approx(right, abs=0.02)


def test_labels_that_are_no_classes_have_no_accuracy(digits):
    def regressing(hp):
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(2)])
        model.compile("adam", "mse")
        return model

    x = digits[0][0]
    held = x[:50], x[:50, :2]
    hypermodel = CompressedHyperModel(regressing, **PLAIN)
    _, metrics = run(hypermodel, x, x[:, :2], validation_data=held, epochs=1)
    assert metrics["tflite_bytes"] > 0
    assert not any("accuracy" in name for name in metrics)


def test_validation_data_that_are_read_once_are_those_of_the_last_epoch(digits):
    (x, y), held = digits
    seen = keras.callbacks.History()
    named = {
        "validation_data": (held for _ in range(9)),
        "validation_steps": 1,
        "callbacks": [seen],
    }
    _, metrics = run(CompressedHyperModel(build, **PLAIN), x, y, epochs=2, **named)
    assert metrics["val_loss"] == pytest.approx(seen.history["val_loss"][-1])


def test_training_data_that_are_read_once_want_calibration_data_before_training():
    hypermodel = CompressedHyperModel(build, **{**PLAIN, "quantization": "int8"})
    hp = keras_tuner.HyperParameters()
    with pytest.raises(ValueError, match="`calibration`"):
        hypermodel.fit(hp, hypermodel.build(hp), iter([]))


# What is searched.


@pytest.mark.parametrize("dropout", [False, {"rate": 0.0}])
def test_without_compression_the_model_is_the_users(dropout):
    hp = keras_tuner.HyperParameters()
    model = CompressedHyperModel(build, **{**PLAIN, "dropout": dropout}).build(hp)
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "ReLU", "Dense"]
    assert not model.losses
    assert set(hp.values) - {"dropout/kind"} == {"units", "rate", "quantization/mode"}


def test_everything_is_declared_when_the_model_is_built():
    hp = keras_tuner.HyperParameters()
    CompressedHyperModel(build, stopping=True).build(hp)
    rooms = {one.name.split("/")[0] for one in hp.space}
    assert rooms == {
        "units",
        "rate",
        "regularization",
        "dropout",
        "pruning",
        "stopping",
        "quantization",
    }


def test_functions_of_ones_own_are_spaces():
    def penalty(hp):
        return keras.regularizers.L1(hp.Float("mine", 1e-5, 1e-3, sampling="log"))

    hp = keras_tuner.HyperParameters()
    model = CompressedHyperModel(build, **{**PLAIN, "regularization": penalty}).build(hp)
    assert hp.values["mine"] == 1e-5
    assert len(model.losses) == 2


def test_what_is_not_tunable_adds_nothing_to_the_search():
    hp = keras_tuner.HyperParameters()
    CompressedHyperModel(build, tunable=False).build(hp)
    assert not hp.space


class Inner(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, batch_size=100, **kwargs)
        return {"steps": float(model.optimizer.iterations), "loss": history.history["loss"][-1]}


def test_the_fit_of_an_inner_hypermodel_is_used(digits):
    _, metrics = run(CompressedHyperModel(Inner(), **PLAIN), *digits[0], epochs=2)
    assert metrics["steps"] == 20.0
    assert metrics["tflite_bytes"] > 0


def test_it_can_be_sent_to_another_process():
    hypermodel = CompressedHyperModel(build, pruning={"exclude": ["top"]}, quantization=["int8"])
    for one in (hypermodel, CompressedHyperModel(Inner())):
        copy = pickle.loads(pickle.dumps(one))
        assert copy.build.__self__ is copy
        here, there = keras_tuner.HyperParameters(), keras_tuner.HyperParameters()
        one.build(here)
        copy.build(there)
        assert here.get_config() == there.get_config()


# What goes wrong.


class Breaks(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise ArithmeticError("worse than others")


def test_a_trial_that_is_broken_off_leaves_nothing_behind(digits, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    hypermodel = CompressedHyperModel(
        build, **{**PLAIN, "pruning": {"final_sparsity": 0.5}}, stopping={"patience": 2}
    )
    with pytest.raises(ArithmeticError, match="worse than others"):
        run(
            hypermodel,
            *digits[0],
            validation_data=digits[1],
            callbacks=[EarlyStopping(patience=3), Folder(tmp_path), Breaks()],
        )
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_file_that_is_not_the_model_fails_its_trial(digits, tmp_path):
    hypermodel = CompressedHyperModel(
        build, **{**PLAIN, "quantization": "dynamic"}, export={"least_db": 300.0}
    )
    with pytest.raises(ExportError, match="dB"):
        run(hypermodel, *digits[0], epochs=1, callbacks=[Folder(tmp_path)])
    assert not list(tmp_path.iterdir())


def diverging(hp):
    model = build(hp)
    model.compile(keras.optimizers.SGD(1e30), "mse")
    return model


def test_a_trial_that_diverges_fails_without_a_file(digits, tmp_path):
    (x, y), _ = digits
    with pytest.raises(keras_tuner.errors.FailedTrialError, match="loss is nan"):
        run(
            CompressedHyperModel(diverging, **PLAIN),
            x,
            np.eye(10)[y] * 1e20,
            epochs=2,
            callbacks=[Folder(tmp_path)],
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"build": 3}, TypeError, "build"),
        ({"build": Inner}, TypeError, "build"),
        ({"build": keras.layers.ReLU()}, TypeError, "build"),
        ({"pruning": {"max_sparsty": 0.9}}, ValueError, "pruning"),
        ({"pruning": {"max_sparsity": 9}}, ValueError, "max_sparsity"),
        ({"dropout": 0.5}, TypeError, "dropout"),
        ({"quantization": "int9"}, ValueError, "modes"),
        ({"quantization": []}, ValueError, "modes"),
        ({"export": {"path": "x"}}, ValueError, "export"),
        ({"export": {"io": "int8"}}, ValueError, "io"),
        ({"export": ["io"]}, TypeError, "export"),
        ({"validation_data": (None, [1])}, ValueError, "validation_data"),
    ],
)
def test_wrong_arguments_are_named_before_any_trial(arguments, error, named):
    with pytest.raises(error, match=f"`{named}`"):
        CompressedHyperModel(**{"build": build, **arguments})


# In a plain KerasTuner.

ITS_OWN = "ignore:(currentThread|getName)..:DeprecationWarning"


@pytest.mark.filterwarnings(ITS_OWN)
def test_a_plain_search_keeps_the_weights_that_were_measured(digits, tmp_path):
    hypermodel = CompressedHyperModel(
        build,
        pruning={"min_sparsity": 0.6, "patterns": ["weight"], "scopes": ["layer"]},
        quantization=["float32", "float16"],
    )
    tuner = keras_tuner.RandomSearch(
        hypermodel, "val_accuracy", max_trials=2, seed=2, directory=tmp_path
    )
    tuner.search(*digits[0], validation_data=digits[1], epochs=4, verbose=0)
    trials = tuner.oracle.get_best_trials(2)
    assert [one.status for one in trials] == ["COMPLETED", "COMPLETED"], trials[-1].message
    for one in trials:
        asked = one.hyperparameters["pruning/sparsity"]
        assert one.metrics.get_last_value("sparsity") == pytest.approx(asked, abs=0.001)
        assert one.metrics.get_last_value("tflite_bytes") > 3000
    best = tuner.get_best_models()[0]
    measured = trials[0].metrics.get_last_value("val_accuracy")
    assert best.evaluate(*digits[1], verbose=0)[1] == pytest.approx(measured)
    asked = trials[0].hyperparameters["pruning/sparsity"]
    assert pruning.sparsity(best).total == pytest.approx(asked, abs=0.001)


@pytest.mark.filterwarnings(ITS_OWN)
def test_a_plain_search_may_have_several_objectives(digits, tmp_path):
    goals = [
        keras_tuner.Objective("val_accuracy", "max"),
        keras_tuner.Objective("tflite_bytes", "min"),
    ]
    hypermodel = CompressedHyperModel(build, **PLAIN)
    tuner = keras_tuner.RandomSearch(hypermodel, goals, max_trials=1, directory=tmp_path)
    tuner.search(*digits[0], validation_data=digits[1], epochs=1, verbose=0)
    [one] = tuner.oracle.get_best_trials()
    found = one.metrics.get_last_value
    assert one.score == pytest.approx(found("tflite_bytes") - found("val_accuracy"))
