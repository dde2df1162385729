"""Objectives, limits, what `fit` returned, the ranking: pure functions."""

import inspect
import math
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt import _keras
from kerasopt._core.logs import direction
from kerasopt.tuning.oracle.objectives import (
    check_constraints,
    check_objective,
    direction_of,
    names_of,
    violations,
)
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage.records import Record, front_of, ranked
from kerasopt.tuning.training.reported_metrics import averaged, best_epoch, metrics_of

GOAL = [("val_accuracy", "max")]


NEEDED = [{}, {"num_classes": 2}, {"num_classes": 2, "target_class_ids": [0]},
          {"target_class_ids": [0]}, {"fn": keras.ops.add}, {"specificity": 0.5},
          {"sensitivity": 0.5}, {"precision": 0.5}, {"recall": 0.5}]  # fmt: skip


def keras_metrics():
    """Give one of each of Keras's metrics."""
    for kind in vars(keras.metrics).values():
        if isinstance(kind, type) and issubclass(kind, keras.metrics.Metric):
            given = inspect.signature(kind.__init__).parameters.values()
            needed = {one.name for one in given if one.default is one.empty} - {"self"}
            how = next((one for one in NEEDED if needed <= set(one) <= needed), None)
            if how is not None:
                yield kind(**how)


def test_the_directions_of_all_of_kerass_metrics_are_keras_own():
    truth = {}
    for metric in keras_metrics():
        truth[metric.name] = _keras.direction(SimpleNamespace(metrics=[metric]), metric.name)
    truth = {name: known for name, known in truth.items() if known is not None}
    assert {"f1_score", "r2_score", "mean_io_u", "auc", "pearson_correlation"} <= set(truth)
    assert {name: direction_of(f"val_{name}") for name in truth} == truth
    assert {name: direction(f"val_{name}") for name in truth} == truth


def test_one_of_many_numbers_is_an_objective():
    goal = [("val_f1[120]", "max"), ("val_f1[3]", "max")]
    curve = [np.full(150, value) for value in (0.1, 0.9, 0.5)]
    history = keras.callbacks.History()
    history.history = {"val_f1": curve, "loss": [3.0, 2.0, 1.0]}
    expected = {"loss": 2.0, "val_f1[120]": 0.9, "val_f1[3]": 0.9}
    assert metrics_of(history, goal) == expected
    assert metrics_of({"val_f1": curve[1], "loss": 2.0}, goal) == expected


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_loss", "min"),
        ("val_accuracy", "max"),
        ("acc", "max"),
        ("val_auc", "max"),
        ("mean_absolute_error", "min"),
        ("tflite_bytes", "min"),
        ("tflite_latency_ms", "min"),
        ("tflite_accuracy", "max"),
        ("sparsity", "max"),
        ("val_f1_score[1]", "max"),
        ("root_mean_squared_error[0, 2]", "min"),
        ("my_score", None),
    ],
)
def test_directions(name, direction):
    assert direction_of(name) == direction


def test_forms_of_objectives():
    one = keras_tuner.Objective("val_f1", "max")
    assert check_objective(one) is one
    assert names_of(check_objective(("score", "max"))) == [("score", "max")]
    assert names_of(check_objective(["val_loss", ("score", "max")])) == [
        ("val_loss", "min"),
        ("score", "max"),
    ]
    assert names_of(check_objective(["val_loss"])) == [("val_loss", "min")]
    assert names_of(check_objective(None)) == [("default_objective", "min")]


@pytest.mark.parametrize(
    ("objective", "error", "words"),
    [
        ("my_score", ValueError, "Say it"),
        (3, TypeError, "objective"),
        ([], ValueError, "at least one"),
        (["val_loss", "val_loss"], ValueError, "each of them once"),
        (keras_tuner.Objective("a", "down"), ValueError, '"min" or "max"'),
    ],
)
def test_wrong_objectives(objective, error, words):
    with pytest.raises(error, match=words):
        check_objective(objective)


@pytest.mark.parametrize(
    ("constraints", "error"),
    [([1], TypeError), ({"a": "b"}, TypeError), ({"a": (2, 1)}, ValueError),
     ({"a": (None, None)}, TypeError), ({"a": float("nan")}, TypeError), ({3: 1}, TypeError)],
)  # fmt: skip
def test_wrong_constraints(constraints, error):
    with pytest.raises(error, match="constraints"):
        check_constraints(constraints)


def test_violations_are_relative_to_the_limit():
    limits = check_constraints({"bytes": 1000, "accuracy": (0.9, None)})
    assert violations(limits, {"bytes": 900.0, "accuracy": 0.95}) == {"bytes": 0, "accuracy": 0}
    broken = violations(limits, {"bytes": 1100.0, "accuracy": 0.81})
    assert broken == pytest.approx({"bytes": 0.1, "accuracy": 0.1})
    with pytest.raises(ValueError, match="bytes"):
        violations(limits, {"accuracy": 1.0})


def history(**values):
    found = keras.callbacks.History()
    found.history = values
    return found


def test_the_best_epoch_of_a_history_counts():
    one = history(val_accuracy=[0.5, 0.9, 0.7], loss=[3.0, 2.0, 1.0])
    assert metrics_of(one, GOAL) == {"val_accuracy": 0.9, "loss": 2.0}
    assert metrics_of(one, GOAL, first=2) == {"val_accuracy": 0.7, "loss": 1.0}
    assert metrics_of(one, [("elsewhere", "min")]) == {"val_accuracy": 0.7, "loss": 1.0}


def test_an_epoch_that_is_not_finite_is_never_the_best():
    values = {"val_loss": [math.nan, 0.5, -math.inf, math.inf]}
    assert best_epoch(values, ("val_loss", "min")) == 1
    assert best_epoch({"val_loss": [math.nan]}, ("val_loss", "min")) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.sampled_from(["min", "max"]))
def test_best_epoch_is_numpys(values, direction):
    pick = np.argmin if direction == "min" else np.argmax
    assert best_epoch({"m": values}, ("m", direction)) == pick(values)


@pytest.mark.parametrize("number", [0.5, 1, np.float32(0.5), np.array(0.5)])
def test_a_number_is_the_objective(number):
    assert metrics_of(number, GOAL) == {"val_accuracy": float(number)}


@pytest.mark.parametrize("wrong", [None, "0.9", True, {"a": "b"}, {"a": None}, {1: 2.0}, object()])
def test_what_is_no_result(wrong):
    with pytest.raises(TypeError, match="`result`"):
        metrics_of(wrong, GOAL)


def test_nothing_asks_whether_it_was_forgotten_and_a_number_needs_one_objective():
    with pytest.raises(TypeError, match="forget to return"):
        metrics_of(None, GOAL)
    with pytest.raises(ValueError, match="Return a dict"):
        metrics_of(0.5, [("a", "min"), ("b", "min")])


def test_means_over_executions():
    assert averaged([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0}
    assert math.isnan(averaged([{"a": math.nan}, {"a": 1.0}])["a"])


points = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=1, max_size=25
)


@given(points, st.lists(st.sampled_from(["min", "max"]), min_size=2, max_size=2))
def test_the_pareto_front_is_what_nobody_beats(values, directions):
    records = [
        Record(f"{n:04d}", "COMPLETED", objectives=(float(a), float(b)), violation=0.0 if ok else 1)
        for n, (a, b, ok) in enumerate(values)
    ]
    signs = [1 if one == "min" else -1 for one in directions]

    def beats(one, other):
        pairs = [(s * a, s * b) for s, a, b in zip(signs, one.objectives, other.objectives,
                                                   strict=True)]  # fmt: skip
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    good = [one for one in records if one.feasible]
    expected = {one.id for one in good if not any(beats(other, one) for other in good)}
    assert {one.id for one in front_of(records, directions)} == expected
    order = [one.id for one in ranked(records, directions)]
    assert sorted(order) == [one.id for one in records]
    assert set(order[: len(expected)]) == expected
    assert set(order[len(good) :]) == {one.id for one in records if not one.feasible}


def test_one_objective_is_sorted_and_broken_constraints_come_last():
    records = [
        Record("0000", "COMPLETED", objectives=(0.5,)),
        Record("0001", "COMPLETED", objectives=(0.9,), violation=2.0),
        Record("0002", "FAILED"),
        Record("0003", "COMPLETED", objectives=(0.8,)),
        Record("0004", "COMPLETED", objectives=(0.1,), violation=0.1),
        Record("0005", "PRUNED"),
    ]
    assert [one.id for one in ranked(records, ["max"])] == ["0003", "0000", "0004", "0001"]


def test_objectives_may_be_of_keras_tuner():
    goals = [keras_tuner.Objective("acc", "max"), keras_tuner.Objective("size", "min")]
    names = [("acc", "max"), ("size", "min")]
    assert names_of(check_objective(goals)) == names
    assert names_of(check_objective(tuple(goals))) == names
    assert names_of(check_objective([goals[0], ("size", "min")])) == names
    both = keras_tuner.oracles.RandomSearchOracle(objective=goals).objective
    assert names_of(check_objective(both)) == names
    assert names_of(OptunaOracle(objective=goals, max_trials=5).objective) == names
