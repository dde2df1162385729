"""Labels: metrics of predictions, and a file's accuracy beside its model's."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import export_all, to_tflite
from kerasopt.export.validation.task_metrics import (
    chance,
    compiled_scores,
    metric_name,
    r2_by_column,
    scores,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("labels", "shape", "expected"),
    [
        (RNG.integers(0, 4, 9), (9, 4), "sparse_categorical_accuracy"),
        (RNG.integers(0, 4, (9, 1)), (9, 4), "sparse_categorical_accuracy"),
        (RNG.integers(0, 4, (9, 5)), (9, 5, 4), "sparse_categorical_accuracy"),
        (np.eye(4), (4, 4), "categorical_accuracy"),
        (RNG.integers(0, 2, 9), (9, 1), "binary_accuracy"),
        (RNG.integers(0, 2, (9, 1)).astype(bool), (9, 1), "binary_accuracy"),
        (RNG.normal(size=9), (9, 1), "mean_absolute_error"),
        (RNG.normal(size=(9, 4)), (9, 4), "mean_absolute_error"),
        (RNG.integers(0, 9, 9), (9, 1), "mean_absolute_error"),
        (np.arange(9.0) % 4, (9, 4), "sparse_categorical_accuracy"),
        (np.arange(9.0) % 2, (9, 1), "binary_accuracy"),
        (np.zeros(9), (9, 1), "mean_absolute_error"),
    ],
)
def test_the_metric_that_labels_ask_for(labels, shape, expected):
    assert metric_name(labels, np.zeros(shape)) == expected


def model_and_data():
    keras.utils.set_random_seed(0)
    y = RNG.integers(0, 3, 300)
    x = (RNG.normal(size=(3, 8))[y] + 0.7 * RNG.normal(size=(300, 8))).astype("float32")
    model = keras.Sequential([keras.Input((8,)), layers.Dense(3, name="kind")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy", "sparse_top_k_categorical_accuracy"])
    return model, x, y


def test_it_gives_what_keras_gives():
    model, x, y = model_and_data()
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    found = to_tflite(model).evaluate(
        x, y, ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(5, "k"), model.loss]
    )
    assert found["sparse_categorical_accuracy"] == pytest.approx(expected["accuracy"], abs=1e-6)
    assert found["k"] == pytest.approx(1.0)
    assert list(found.values())[2] == pytest.approx(expected["loss"], rel=1e-4)


def test_the_report_has_the_accuracy_of_all_samples():
    model, x, y = model_and_data()
    report = to_tflite(model, None, "int8", calibration=x, validation_data=(x, y)).report
    both = report.accuracy["sparse_categorical_accuracy"]
    assert both["keras"] == pytest.approx((model.predict(x, verbose=0).argmax(1) == y).mean())
    assert abs(both["file"] - both["keras"]) < 0.02
    assert f"in Keras {both['keras']:.4g}" in str(report)
    assert report.to_dict()["accuracy"] == report.accuracy
    # What it was compiled with, too.
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    top = report.accuracy["sparse_top_k_categorical_accuracy"]
    assert top["keras"] == pytest.approx(expected["sparse_top_k_categorical_accuracy"])
    assert set(report.accuracy) == {
        "sparse_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
    }


def test_compiled_metrics_of_several_outputs_as_keras_has_them():
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    outputs = {"b": layers.Dense(1, "sigmoid", name="b")(x), "a": layers.Dense(2, name="a")(x)}
    model = keras.Model(x, outputs)
    data, right = (
        RNG.normal(size=(40, 4)),
        {"a": RNG.normal(size=(40, 2)), "b": RNG.integers(0, 2, (40, 1))},
    )
    model.compile("sgd", "mse", metrics={"a": ["mae", "cosine_similarity"], "b": ["AUC"]})
    expected = model.evaluate(data, right, verbose=0, return_dict=True)
    states = [one.numpy() for metric in model.metrics for one in metric.variables]
    found = compiled_scores(model, model.predict(data, verbose=0), right)
    assert set(found) == {"a_cosine_similarity", "b_AUC"}
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-6)
    now = [one.numpy() for metric in model.metrics for one in metric.variables]
    for one, before in zip(now, states, strict=True):
        np.testing.assert_array_equal(one, before)
    assert compiled_scores(model, model.predict(data, verbose=0), {"a": right["a"]}) == {}


def test_labels_that_compiled_metrics_do_not_take():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    own = keras.metrics.Mean(name="own")
    model.own = own
    model.compile("sgd", "mse", metrics=["cosine_similarity", keras.metrics.F1Score()])
    onehot = np.eye(3)[[0, 1, 2, 1, 0]]
    found = compiled_scores(model, {"y": onehot}, onehot)
    # A number a class; and nothing of what only the model's own steps update.
    assert found == pytest.approx(
        {"cosine_similarity": 1.0, "f1_score[0]": 1.0, "f1_score[1]": 1.0, "f1_score[2]": 1.0}
    )
    with pytest.warns(
        UserWarning, match="compiled with do not take the labels of `validation_data`"
    ):
        assert compiled_scores(model, {"y": np.zeros((5, 3))}, np.zeros((5, 2))) == {}


def test_several_outputs():
    outputs = {"a": np.eye(3), "b": np.zeros((3, 1))}
    right = {"a": np.array([0, 1, 1]), "b": np.array([0.5, 0.5, 0.5])}
    expected = {"a_sparse_categorical_accuracy": 2 / 3, "b_mean_absolute_error": 0.5}
    assert scores(outputs, right) == pytest.approx(expected)
    assert scores(outputs, list(right.values())) == pytest.approx(expected)
    assert list(scores(outputs, {"b": right["b"]}, ["mse"])) == ["b_mean_squared_error"]


def test_labels_in_a_list_are_in_the_order_of_the_models_outputs():
    """A file has its outputs in an order of its own."""
    keras.utils.set_random_seed(0)
    x, data = keras.Input((4,), name="x"), RNG.normal(size=(40, 4)).astype("float32")
    names = [f"{letter}{number}" for letter in "zbka" for number in (10, 9)]
    model = keras.Model(x, [layers.Dense(2, name=name)(x) for name in names])
    right = [np.asarray(one) for one in model(data)]
    made = to_tflite(model, validation_data=(data, right))
    assert [one.name for one in made.report.outputs] == list(made.report.agreement) == names
    for name in names:
        assert max(made.report.accuracy[f"{name}_mean_absolute_error"].values()) < 1e-5
        assert made.report.accuracy[f"{name}_r2_score"]["file"] == pytest.approx(1.0)


def test_r2_is_that_of_keras():
    right = RNG.normal(size=(40, 3)).astype("float32")
    came = right + RNG.normal(size=right.shape).astype("float32") * [0.1, 1.0, 3.0]
    metric = keras.metrics.R2Score(class_aggregation=None)
    metric.update_state(right, came.astype("float32"))
    assert r2_by_column(right, came) == pytest.approx(np.array(metric.result()), abs=1e-5)
    assert r2_by_column(right[:, 0], came[:, :1]) == pytest.approx(
        r2_by_column(right, came)[:1], abs=1e-9
    )
    assert r2_by_column(right, came[:, :2]) is None
    assert np.isnan(r2_by_column(np.ones(9), np.zeros((9, 1)))).all()


def test_what_a_constant_class_has():
    assert chance(np.array([[2], [2], [0]]), np.zeros((3, 4))) == (pytest.approx(2 / 3), 3)
    assert chance(np.array([0, 1, 1, 1]), np.zeros((4, 1))) == (0.75, 4)
    assert chance(np.eye(5), np.zeros((5, 5))) == (pytest.approx(0.2), 5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros(4),), "3 labels for 'a'.*4 of them"),
        (({"b": np.zeros(3)},), r"the outputs \['a'\].*'b'"),
        ((np.zeros(3), ["no_such_metric"]), "`metrics`.*no_such_metric"),
    ],
)
def test_what_does_not_fit(arguments, said):
    with pytest.raises(ValueError, match=said):
        scores({"a": np.eye(3)}, *arguments)


def test_labels_want_their_samples(dense, rows):
    given = {"calibration": rows, "validation_data": (None, np.zeros(120, int))}
    with pytest.raises(ValueError, match="`validation_data`.*labels without x"):
        to_tflite(dense, None, "int8", **given)
    with pytest.raises(ValueError, match="`validation_data`.*labels without x"):
        export_all(dense, **given)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.full(6, np.nan), "finite numbers"),
        (np.full((6, 3), np.inf), "finite numbers"),
        (np.linspace(0, 1, 6), r"shape \(6, 3\), or one class of 3"),
        # Keras would broadcast it.
        (np.linspace(0, 1, 6)[:, None], r"an array of shape \(6, 1\)"),
        (np.ones((6, 2)), r"an array of shape \(6, 2\)"),
        (np.full(6, 3), "classes from 0 to 2.*numbers from 3 to 3"),
        (np.array(list("abcabc")), "number of each class"),
        ([[1], [1, 2]] * 3, "an array of numbers"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels, said):
    with pytest.raises(ValueError, match=f"`validation_data`.*{said}"):
        scores({"y": np.zeros((6, 3))}, labels)
