"""One call: data to result, with table, importances, pictures and a report that is right."""

import csv
import json

import keras
import numpy as np
import pytest

from kerasopt.tuning import CompressedHyperModel, search
from kerasopt.tuning.reports.optuna_study import importances_of
from kerasopt.tuning.storage.records import Record
from tests.tuning.test_tuner import Measured, build


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 256)
    x = (rng.normal(size=(3, 12))[y] * 2 + rng.normal(size=(256, 12))).astype("float32")
    folder = tmp_path_factory.mktemp("search")
    return search(
        build, x, y, objective="val_loss", max_trials=6, epochs=2, seed=0, directory=folder,
        verbose=0,
    ), folder  # fmt: skip


def test_the_first_trial_has_all_defaults_and_the_best_is_the_best(found):
    result, _ = found
    assert result.trials[0].values == {"units": 4, "rate": 1e-4}
    losses = [one.metrics["val_loss"] for one in result.trials]
    assert result.best.metrics["val_loss"] == min(losses)
    assert result.best_values == result.best.values
    assert result.best_model.count_params() == 16 * result.best_values["units"] + 3


def test_the_table_has_a_row_a_trial(found):
    table = found[0].table()
    assert list(table["trial"]) == [f"{n:04d}" for n in range(6)]
    assert {"state", "val_loss", "seconds", "hp/units", "hp/rate"} <= set(table)


def test_it_prints(found):
    printed = str(found[0])
    assert printed.startswith("6 trials: 6 completed")
    assert found[0].best.id in printed
    assert "SearchResult(6 trials" in repr(found[0])


def test_the_report_says_what_the_result_says(found):
    result, folder = found
    path = result.save_report(folder / "report")
    assert {one.name for one in path.parent.iterdir()} >= {
        "report.md", "trials.csv", "search.json", "history.png", "parallel.png",
    }  # fmt: skip
    plain = json.loads((path.parent / "search.json").read_text())
    assert plain["best"] == result.best.id
    assert [one["id"] for one in plain["trials"]] == [one.id for one in result.trials]
    with open(path.parent / "trials.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == [
        one.metrics["val_loss"] for one in result.trials
    ]
    for line in path.read_text().splitlines():
        if line.startswith("!["):
            assert (path.parent / line.split("(")[1].rstrip(")")).stat().st_size > 3000


def test_a_second_call_goes_on(found):
    result, folder = found
    x, y = np.zeros((20, 12)), np.zeros(20, int)
    again = search(build, x, y, objective="val_loss", max_trials=6, epochs=2, seed=0,
                   directory=folder, verbose=0)  # fmt: skip
    assert [one.to_dict() for one in again.trials] == [one.to_dict() for one in result.trials]


def test_a_result_of_nothing_says_so(tmp_path):
    class Failing(Measured):
        def fit(self, hp, model, *args, **kwargs):
            return {"val_accuracy": float("nan")}

    result = search(Failing(), np.zeros((9, 12)), np.zeros(9), objective="val_accuracy",
                    max_trials=2, directory=tmp_path, verbose=0)  # fmt: skip
    with pytest.raises(ValueError, match="at least one that was completed"):
        _ = result.best
    assert result.save_report(tmp_path / "r").read_text().count("is nan") == 2


def test_data_choose_the_hypermodel(blobs, tmp_path, capsys):
    x, y = blobs
    result = search(None, x, y, max_trials=1, epochs=2, directory=tmp_path)
    assert "MLP" in capsys.readouterr().out or result.objectives == [("val_accuracy", "max")]
    assert result.objectives == [("val_accuracy", "max")]
    assert result.best_model.output_shape == (None, 3)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_importances_find_what_matters_in_both_directions(direction):
    rng = np.random.default_rng(0)
    sign = 1.0 if direction == "min" else -1.0
    records = []
    for number in range(80):
        a, b = rng.uniform(size=2)
        # Only good values of `a` differ; bad ones depend on `b`.
        value = 10 * (a - 0.3) ** 2 if a < 0.6 else 1.0 + 50 * b
        records.append(Record(f"{number:04d}", "COMPLETED", {"a": a, "b": b},
                              objectives=(sign * value,)))  # fmt: skip
    found = importances_of(records, [("score", direction)])
    assert found["a"] > 0.8
    assert sum(found.values()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least two"):
        importances_of(records[:1], [("score", direction)])


@pytest.mark.slow
def test_the_most_accurate_model_under_a_size_is_one_search(tmp_path):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")

    def wide(hp):
        width = hp.Choice("width", [8, 64])
        model = keras.Sequential(
            [
                keras.Input((64,)),
                keras.layers.Dense(width, activation="relu"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    parts = {"regularization": False, "dropout": False, "pruning": False}
    result = search(
        CompressedHyperModel(wide, quantization=["float32", "int8"], **parts),
        x[:1200], y[:1200], (x[1200:], y[1200:]), "tflite_accuracy", 4, "grid",
        constraints={"tflite_bytes": 10_000}, epochs=6, directory=tmp_path, verbose=0, seed=0,
        keep_best=4,
    )  # fmt: skip
    assert len(result.trials) == 4
    sizes = {}
    for one in result.trials:
        file = tmp_path / "search" / f"trial_{one.id}" / "model.tflite"
        assert one.metrics["tflite_bytes"] == file.stat().st_size
        sizes[one.values["width"], one.values["quantization/mode"]] = one.metrics["tflite_bytes"]
    assert sizes[64, "float32"] > 10_000 > sizes[64, "int8"]
    # Of the files below the limit the widest is the most accurate.
    assert result.best.values == {"width": 64, "quantization/mode": "int8"}
