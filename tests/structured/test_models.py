"""Whole models: exact, trained, saved, exported, after a quarter and half of the channels."""

import os

import keras
import numpy as np
import pytest

from kerasopt.export import to_tflite
from kerasopt.structured import shrink_plan
from tests.graph import models
from tests.graph.rewriting import shaken
from tests.structured.architectures import OWN, SIDES, application
from tests.structured.exact import assert_close, assert_exact

# All of it for both ratios and the largest takes minutes more: KERASOPT_ALL=1 make test.
ALL = bool(os.environ.get("KERASOPT_ALL"))
LARGEST = ("DenseNet121", "InceptionV3", "NASNetMobile")


def trains(model, inputs):
    """One step; eagerly, as to trace a large model takes longer than to run it once."""
    count = model.outputs[0].shape[-1]
    shape = [2, *model.outputs[0].shape[1:-1]]
    y = np.zeros(shape, "int64") if count > 1 else np.zeros([*shape, 1], "float32")
    loss = "sparse_categorical_crossentropy" if count > 1 else "binary_crossentropy"
    model.compile("sgd", loss, run_eagerly=True)
    before = [keras.ops.convert_to_numpy(one) for one in model.trainable_variables]
    assert np.isfinite(model.train_on_batch(inputs, y))
    changed = [
        np.abs(keras.ops.convert_to_numpy(one) - old).max()
        for one, old in zip(model.trainable_variables, before, strict=True)
    ]
    assert max(changed) > 0


def lives(model, inputs, folder):
    """It trains, is saved, loads as an ordinary model, and exports to a verified file."""
    found = models.results(model, inputs)
    model.save(folder / "small.keras")
    assert_close(models.results(keras.saving.load_model(folder / "small.keras"), inputs), found)
    several = not isinstance(inputs, np.ndarray)
    names = [one.name for one in model.inputs]
    check = dict(zip(names, inputs, strict=True)) if several else inputs
    file = to_tflite(model, folder / "small.tflite", validation_data=check)
    assert file.report.sqnr_db > 60.0
    trains(model, inputs)


@pytest.mark.parametrize("ratio", [0.25, 0.5])
@pytest.mark.parametrize("name", OWN)
def test_models_of_our_own(name, ratio, tmp_path):
    model = OWN[name]()
    inputs = models.batch(model, size=2)
    _, small = assert_exact(model, ratio, inputs)
    lives(small, inputs, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIDES)
def test_applications(name, tmp_path):
    model = shaken(application(name))
    pixels = 255.0 if name in ("EfficientNetV2B0", "MobileNetV3Small") else 1.0
    rng = np.random.default_rng(0)
    inputs = (pixels * rng.uniform(size=(2, *model.input_shape[1:]))).astype("float32")
    whole = models.results(model, inputs)
    for ratio in (0.25, 0.5):
        plan = shrink_plan(model, pruning_ratio=ratio)
        lost = [one.before - one.after for one in plan.groups]
        share = sum(lost) / sum(one.before for one in plan.groups)
        assert share == pytest.approx(ratio, abs=0.03)  # rounded to eights
        assert plan.left_out.keys() <= {"predictions", "logits"}
        small = plan.apply()
        found = models.results(small, inputs)
        assert_close(models.results(plan.masked(), inputs), found)
        assert np.abs(found[0] - whole[0]).max() > 1e-4  # something that counts went
        assert small.count_params() == plan.after.parameters
        if ALL or (ratio == 0.5 and name not in LARGEST):
            lives(small, inputs, tmp_path)
        else:
            trains(small, inputs)
