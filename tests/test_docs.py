"""The documentation says what is so: its examples run, its files exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
QUICKSTART = (ROOT / "examples" / "quickstart.py").read_text()


def test_the_quickstart_of_the_readme_is_the_example():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert QUICKSTART.split('"""\n\n', 1)[1] in blocks


def test_it_has_no_more_than_25_lines():
    code = QUICKSTART.split('"""\n\n', 1)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 25


@pytest.mark.slow
def test_the_example_runs_as_it_is(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"TFLiteModel (\w+), .* accuracy ([\d.]+)", done.stdout)
    assert [mode for mode, _ in found] == ["float32", "int8"]
    assert all(float(accuracy) >= 0.88 for _, accuracy in found)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["digits-float32.tflite", "digits-int8.tflite"]


@pytest.mark.slow
def test_the_example_of_early_stopping_runs_as_it_is(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "early_stopping.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"early stopping, (Patience|UpStrips): val_loss has", done.stdout)
    assert float(re.findall(r"test accuracy ([\d.]+)", done.stdout)[0]) >= 0.88
    assert [path.name for path in tmp_path.iterdir()] == ["digits-stopping.png"]


@pytest.mark.slow
def test_the_example_of_regularization_runs_as_it_is(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "regularization.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    accuracies = re.findall(r"test accuracy ([\d.]+)", done.stdout)
    assert len(accuracies) == 2
    assert all(float(accuracy) >= 0.8 for accuracy in accuracies)
    assert "penalty x 1.00" in done.stdout
    assert "'dense_dropout'" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["digits-regularized.keras"]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/early-stopping.md",
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
        "docs/regularization.md",
        "constraints.txt",
        "setup.cfg",
        "pyproject.toml",
    ]:
        text = (ROOT / path).read_text()
        assert not re.search(r"/(home|root|mnt|Users)/|https?://(?!keepachangelog)", text), path
