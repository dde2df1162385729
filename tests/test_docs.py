"""The documentation says what is so: its examples run, its files exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import snippets

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
QUICKSTART = (ROOT / "examples" / "quickstart.py").read_text()


def test_the_quickstart_of_the_readme_is_the_example():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert QUICKSTART.split('"""\n\n', 1)[1] in blocks


def test_it_has_no_more_than_25_lines():
    code = QUICKSTART.split('"""\n\n', 1)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 25


def run_example(name, folder):
    script = ROOT / "examples" / f"{name}.py"
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.slow
def test_the_example_runs_as_it_is(tmp_path):
    printed = run_example("quickstart", tmp_path)
    found = re.findall(r"TFLiteModel (\w+), .* accuracy ([\d.]+)", printed)
    assert [mode for mode, _ in found] == ["float32", "int8"]
    assert all(float(accuracy) >= 0.88 for _, accuracy in found)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["digits-float32.tflite", "digits-int8.tflite"]


@pytest.mark.slow
def test_the_example_of_early_stopping_runs_as_it_is(tmp_path):
    printed = run_example("early_stopping", tmp_path)
    assert re.search(r"early stopping, (Patience|UpStrips): val_loss has", printed)
    assert float(re.findall(r"test accuracy ([\d.]+)", printed)[0]) >= 0.88
    assert [path.name for path in tmp_path.iterdir()] == ["digits-stopping.png"]


@pytest.mark.slow
def test_the_example_of_shrinking_runs_as_it_is(tmp_path):
    printed = run_example("shrink", tmp_path)
    assert "stem + conv_1b + conv_2b" in printed
    accuracies = re.findall(r"accuracy ([\d.]+)", printed)
    assert len(accuracies) == 2
    assert all(float(accuracy) >= 0.85 for accuracy in accuracies)
    assert len(list(tmp_path.glob("*.tflite"))) == 2


@pytest.mark.slow
def test_the_example_of_regularization_runs_as_it_is(tmp_path):
    printed = run_example("regularization", tmp_path)
    accuracies = re.findall(r"test accuracy ([\d.]+)", printed)
    assert len(accuracies) == 2
    assert all(float(accuracy) >= 0.8 for accuracy in accuracies)
    assert "penalty x 1.00" in printed
    assert "'dense_dropout'" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["digits-regularized.keras"]


@pytest.mark.slow
def test_the_example_of_the_export_runs_as_it_is(tmp_path):
    printed = run_example("export", tmp_path)
    assert re.search(r"int8 +[\d,]+ +[\d,]+ +[\d,]+", printed)
    assert "share of noise" in printed
    both = re.search(r"sparse categorical accuracy +([\d.]+), in Keras ([\d.]+)", printed)
    assert float(both[1]) >= float(both[2]) >= 0.85
    assert "class Model(context: Context, gpu: Boolean = false)" in printed


@pytest.mark.slow
def test_the_example_of_the_search_runs_as_it_is_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIALS", "3")
    monkeypatch.setenv("EPOCHS", "3")
    monkeypatch.setenv("DATASET", "digits")
    printed = run_example("tune_fashion_mnist", tmp_path)
    assert "trial 0002 (3/3)" in printed
    assert "a convolutional network" in printed
    accuracy = float(re.search(r"the best model again: val_accuracy ([\d.]+)", printed)[1])
    row = re.search(r"^\d+ +completed +([\d.]+)", printed, re.MULTILINE)
    assert accuracy == pytest.approx(float(row[1]), abs=1e-4)
    assert (tmp_path / "tune-fashion-mnist" / "report" / "report.md").is_file()
    again = run_example("tune_fashion_mnist", tmp_path)
    assert "3 of 3 trials have ended before." in again


@pytest.mark.slow
def test_the_example_of_the_pareto_front_runs_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIALS", "3")
    printed = run_example("tune_pareto", tmp_path)
    rows = re.findall(r"^ *([\d,]+) bytes +([\d.]+)  (\S+model.tflite)", printed, re.MULTILINE)
    assert rows
    for size, _, path in rows:
        assert Path(path).stat().st_size == int(size.replace(",", ""))
    assert (tmp_path / "tune-pareto" / "front.png").is_file()


PAGES = ["README.md", *(f"docs/{one.name}" for one in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_in_documents_names_and_passes_what_there_is(page):
    text = (ROOT / page).read_text()
    known = {}
    faults = [one for code in snippets.blocks(text) for one in snippets.faults(code, known)]
    for name in snippets.dotted(text):
        try:
            snippets.found(name)
        except AttributeError as error:
            faults.append(str(error))
    assert faults == []


@pytest.fixture
def given(tmp_path, monkeypatch):
    """What the documents take for given; no `fit` is longer than two epochs."""
    import keras
    import numpy as np
    import tensorflow as tf

    fit = keras.Model.fit

    def short(self, *args, epochs=1, **named):
        return fit(self, *args, epochs=min(epochs, 2), **{**named, "verbose": 0})

    monkeypatch.setattr(keras.Model, "fit", short)
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    stem = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv_stem")(inputs)
    block = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv_block")(stem)
    block = keras.layers.BatchNormalization()(block)
    flat = keras.layers.Flatten()(keras.layers.Add()([stem, block]))
    hidden = keras.layers.Dense(8, activation="relu", name="hidden")(flat)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="top")(hidden))
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    x = np.random.default_rng(0).normal(size=(64, 6, 6, 2)).astype("float32")
    y = np.arange(64) % 2
    return {"keras": keras, "tf": tf, "model": model, "x": x, "y": y, "held": (x, y),
            "validate": lambda: 1.0}  # fmt: skip


@pytest.mark.parametrize(
    ("page", "but"),
    [("early-stopping", "none"), ("regularization", r"keras\.applications|sklearn")],
)
def test_the_code_of_a_document_runs_from_top_to_bottom(page, but, given, capsys):
    codes = snippets.blocks((ROOT / "docs" / f"{page}.md").read_text())
    chosen = [code for code in codes if not re.search(but, code)]
    assert len(chosen) >= 5
    for code in chosen:
        exec(compile(code, f"{page}.md", "exec"), given)
    capsys.readouterr()
    if page == "early-stopping":
        assert set(given["stopper"].history) == {0, 1}
        assert given["verdict"].reason.startswith("Patience: val_loss has not improved on 1")
    else:
        assert given["model"].get_layer("hidden_dropout").rate > 0.0


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("from kerasopt.stopping import Pacience", "no 'Pacience'"),
        ("import kerasopt\nkerasopt.export.to_tflight(model)", "no 'to_tflight'"),
        ("from kerasopt.callbacks import Pruning\nPruning(0.5, patience=3)", "no 'patience'"),
        ("from kerasopt.stopping import Patience\nPatience(3, patience=3)", "'patience'. twice"),
        ("from kerasopt.stopping import Threshold\nThreshold()", "lacks .'value'"),
        ("from kerasopt.stopping import Threshold\nThreshold(1, 'a', 'min', 4)", "3 arguments"),
        ("from kerasopt.pruning import sparsity\nsparsity(model).tutal", "no 'tutal'"),
        ("from kerasopt.callbacks import Pruning\np = Pruning(1)\np.release(1)", "0 arguments"),
        ("def build(hp):\n    from kerasopt.layers import Nothing", "no 'Nothing'"),
        ("model.fit(x y)", "line 1"),
    ],
)  # fmt: skip
def test_code_that_does_not_fit_is_noticed(code, fault):
    [said] = snippets.faults(code)
    assert re.search(fault, said), said


def test_code_that_fits_goes_through():
    code = """
from kerasopt.callbacks import EarlyStopping
from kerasopt.export import to_tflite
stopper = EarlyStopping("loss", **how)
stopper.reason, stopper.best_epoch, stopper.history
to_tflite(model, "a.tflite").report.sqnr_db
"""
    assert snippets.faults(code) == []


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/early-stopping.md",
        "docs/pruning.md",
        "docs/tuning.md",
        "docs/regularization.md",
    ],
)
def test_links_and_named_files_exist(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link
    for name in re.findall(r"`((?:benchmarks|docs|examples|tests|kerasopt)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name


def test_nothing_names_a_path_of_one_machine_or_a_package_host():
    for path in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/early-stopping.md",
        "docs/pruning.md",
        "docs/regularization.md",
        "docs/tuning.md",
        "constraints.txt",
        "setup.cfg",
        "pyproject.toml",
    ]:
        text = (ROOT / path).read_text()
        assert not re.search(r"/(home|root|mnt|Users)/|https?://(?!keepachangelog)", text), path
