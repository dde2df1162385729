"""Warnings stand at the user's line, whatever lies between."""

import re
import warnings
from pathlib import Path

import keras
import numpy as np

import kerasopt
from kerasopt.callbacks import Pruning


def place(given):
    lines = Path(given.filename).read_text().splitlines()
    return Path(given.filename).name, lines[given.lineno - 1]


def test_a_callback_warns_at_the_line_of_fit():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2)])
    model.layers[0].enable_lora(2)
    model.compile("sgd", "mse")
    x = np.zeros((8, 4), "float32")
    callbacks = [Pruning(0.5), keras.callbacks.ReduceLROnPlateau("loss")]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.fit(x, x[:, :2], callbacks=callbacks, verbose=0)  # the user's line
    ours = [one for one in seen if re.search("has LoRA|ReduceLROnPlateau", str(one.message))]
    assert len(ours) == 2
    assert all(place(one)[0] == Path(__file__).name for one in ours)
    assert all(place(one)[1].endswith("# the user's line") for one in ours)


def test_there_is_one_way_to_warn():
    folder = Path(kerasopt.__file__).parent
    others = [
        file.relative_to(folder)
        for file in folder.rglob("*.py")
        if "warnings.warn(" in file.read_text() and file.name != "checks.py"
    ]
    assert not others
