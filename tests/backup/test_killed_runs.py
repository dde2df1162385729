"""A run that is killed ten times, for real, ends bit for bit like one that never died."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasopt._core import files

CHILD = Path(__file__).parent / "child.py"


def run(folder, source, save_freq, kill_after=None, at=""):
    """Run the child; kill it at a moment of that name, once it has told so many others.

    Returns:
        Whether it was done, and the moments that it told.
    """
    command = [sys.executable, CHILD, folder, source, json.dumps(save_freq)]
    moments = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            moment = line.strip()
            if moment == "done":
                return True, moments
            moments.append(moment)
            if kill_after is not None and len(moments) >= kill_after and at in moment:
                process.kill()
                break
            process.stdin.write("\n")
            process.stdin.flush()
        _, errors = process.communicate()
    assert process.returncode == -9, errors
    return False, moments


def assert_equal(one, other, where=""):
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_equal(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_equal(*pair, f"{where}/{index}")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, where
        assert np.array_equal(one, other), where
    else:
        assert one == other, where


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "save_freq"),
    [("arrays", "epoch"), ("PyDataset", 3), ("tf.data", 4), ("endless", 5)],
)
def test_killed_ten_times(tmp_path, source, save_freq):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    done, moments = run(whole, source, save_freq)
    assert done
    chance = random.Random(f"{source} {save_freq}")
    killed_at = []
    # A second of the moments is in the middle of writing a backup. The run is about
    # `len(moments)` long, and each life of the process gets a tenth of that or more.
    for number in range(10):
        longest = len(moments) // 8
        done, told = run(
            broken,
            source,
            save_freq,
            kill_after=chance.randint(1, longest),
            at="half written" if number % 2 else "",
        )
        assert not done
        killed_at.append(told[-1])
    assert killed_at.count("half written") >= 5
    done, told = run(broken, source, save_freq)
    assert done
    assert len(told) < len(moments)  # it did not begin anew
    expected, found = (files.load(folder / "result.npz") for folder in (whole, broken))
    assert expected["stopped"][0]
    assert expected["left"] == ["best.keras"]
    assert_equal(expected, found)
