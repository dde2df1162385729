"""How results look: a line in a console, a table in a notebook."""

import json

import keras
import numpy as np
import pytest

from kerasopt import callbacks
from kerasopt._core.checks import warn_each
from kerasopt._core.display import Named, Shown, markdown
from kerasopt.export import export_all, inspect, sensitivity
from kerasopt.profile import count
from kerasopt.pruning import prune, sparse_inference, sparsity
from kerasopt.regularization import add_penalty, penalties
from kerasopt.reporting import plot_history
from kerasopt.selection import select
from kerasopt.structured import shrink_plan


@pytest.fixture(scope="module")
def results():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((32,)), keras.layers.Dense(16, activation="relu", name="a"),
         keras.layers.Dense(2, name="b")]
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(100, 32)).astype("float32")
    files = export_all(model, ("float32", "int8"), calibration=x)
    return {
        "add_penalty": add_penalty(model, 1e-4),
        "select": select(model),
        "penalties": penalties(model),
        "prune": prune(model, 0.5),
        "sparsity": sparsity(model),
        "count": count(model),
        "shrink_plan": shrink_plan(model, pruning_ratio=0.5),
        "sparse_inference": sparse_inference(model),
        "export_all": files,
        "to_tflite": files["int8"],
        "report": files["int8"].report,
        "inspect": inspect(files["int8"]),
        "sensitivity": sensitivity(model, calibration=x),
    }


def test_each_is_a_line_and_a_table(results):
    shown = {name: one for name, one in results.items() if one is not None}
    for name, one in shown.items():
        assert len(repr(one)) < 120, name
        assert "\n" not in repr(one), name
        assert type(one).__name__ in repr(one), name
        assert "<td>" in one._repr_html_(), name
        assert "|---|" in one._repr_markdown_(), name
        assert "tf.Tensor" not in str(one) + one._repr_html_(), name
    assert repr(results["add_penalty"]) == "<Selection: 2 variables of 2 layers>"
    assert results["add_penalty"]._repr_html_().count("<table>") == 1
    assert repr(results["penalties"]).startswith("<Penalties: 2 variables, ")
    assert str(results["add_penalty"]).splitlines()[1].split() == ["a", "kernel", "32", "x", "16"]


def test_callbacks_show_what_was_given(tmp_path):
    found = callbacks.EarlyStopping(monitor="loss", patience=3)
    assert repr(found) == "EarlyStopping(monitor='loss', patience=3)"
    assert "0.8" in repr(callbacks.Pruning(0.8))
    for one in (
        callbacks.Pruning(0.8),
        callbacks.WeightPenalty(l1=1e-4),
        callbacks.ChannelPruning(0.5),
        callbacks.BackupAndRestore(tmp_path),
    ):
        assert repr(one).startswith(type(one).__name__ + "(")
        assert len(repr(one)) < 200


def test_what_has_no_table_shows_its_text():
    class Result(Shown):
        def __str__(self):
            return "a < b"

    assert repr(Result()) == "<Result>"
    assert Result()._repr_html_() == "<pre>a &lt; b</pre>"
    assert Result()._repr_markdown_() == "```text\na < b\n```"
    assert markdown([["a"], ["b|c"]]) == "| a |\n|---|\n| b\\|c |"


def test_arguments_that_cannot_be_compared():
    class Callback(Named):
        def __init__(self, at=None, rule="x" * 90):
            self.at, self.rule = at, rule

        def get_config(self):
            rule = {"class_name": "Patience", "config": {"epochs": 3}}
            return {"at": np.arange(3), "rule": rule, "else": 1}

    assert repr(Callback()) == "Callback(at=array([0, 1, 2]), rule=Patience(epochs=3))"
    assert json.dumps(repr(Callback()))


def test_warnings_that_are_alike_are_one():
    with pytest.warns(UserWarning, match="[ab]") as caught:
        warn_each(["a", "b", "a"])
    assert [str(one.message) for one in caught] == ["a", "b"]
    assert caught[0].filename == __file__


def test_a_plot_is_an_image_in_a_notebook():
    figure = plot_history({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]})
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert isinstance(figure, pytest.importorskip("matplotlib.figure").Figure)
