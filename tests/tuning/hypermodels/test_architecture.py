"""What all search spaces have in common."""

import copy
import json
import multiprocessing
import pickle
import warnings

import keras
import keras_tuner
import numpy as np
import pytest

from kerasopt.export import to_tflite
from kerasopt.tuning.hypermodels import (
    HyperCNN,
    HyperMLP,
    HyperRNN,
    HyperSequenceCNN,
    suggest_hypermodel,
)
from tests.tuning.hypermodels.spaces import SHAPES, build, declared, sampled

CLASSES = pytest.mark.parametrize("cls", SHAPES)


@CLASSES
@pytest.mark.parametrize(
    ("arguments", "loss", "activation", "metric", "objective"),
    [
        ({"outputs": 5}, "sparse_categorical_crossentropy", "softmax", "accuracy", "val_accuracy"),
        (
            {"outputs": 5, "one_hot": True},
            "categorical_crossentropy",
            "softmax",
            "accuracy",
            "val_accuracy",
        ),
        ({"outputs": 1}, "binary_crossentropy", "sigmoid", "accuracy", "val_accuracy"),
        (
            {"outputs": 3, "task": "multi_label"},
            "binary_crossentropy",
            "sigmoid",
            "binary_accuracy",
            "val_loss",
        ),
        (
            {"outputs": 2, "task": "regression"},
            "mean_squared_error",
            "linear",
            "mean_absolute_error",
            "val_mean_absolute_error",
        ),
    ],
)
def test_head(cls, arguments, loss, activation, metric, objective):
    space = cls(SHAPES[cls], **arguments)
    model = build(space)
    outputs = arguments["outputs"]
    assert model.input_shape == (None, *SHAPES[cls])
    assert model.output_shape == (None, outputs)
    assert model.loss == loss
    assert model.layers[-1].activation is keras.activations.get(activation)
    x = np.zeros((4, *SHAPES[cls]), "float32")
    shape = (4,) if loss.startswith("sparse") or outputs == 1 else (4, outputs)
    logs = model.evaluate(x, np.zeros(shape), verbose=0, return_dict=True)
    assert set(logs) == {"loss", metric}
    assert space.objective.name == objective
    assert space.objective.direction == ("max" if metric == "accuracy" else "min")


@CLASSES
def test_default_is_small_and_repeats(cls):
    space = cls(SHAPES[cls], 10)
    assert build(space).count_params() < 100_000
    assert build(space).to_json() == build(space).to_json()
    assert float(build(space).optimizer.learning_rate) == pytest.approx(1e-3)
    assert 5 <= len(declared(space)) <= 9


@CLASSES
@pytest.mark.parametrize("seed", range(6))
def test_any_values_build(cls, seed):
    space = cls(SHAPES[cls], 4)
    hp = sampled(space, seed)
    model = space.build(hp)
    assert model(np.zeros((2, *SHAPES[cls]), "float32")).shape == (2, 4)
    assert float(model.optimizer.learning_rate) == pytest.approx(hp["learning_rate"])


@CLASSES
def test_all_is_declared_before_the_search(cls, tmp_path):
    tuner = keras_tuner.RandomSearch(
        cls(SHAPES[cls], 4), objective="val_accuracy", max_trials=1, directory=tmp_path
    )
    assert {one.name for one in tuner.oracle.get_space().space} == set(declared(tuner.hypermodel))


@CLASSES
def test_config(cls):
    space = cls(SHAPES[cls], 4, max_units=32)
    config = space.get_config()
    again = cls.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert build(again).to_json() == build(space).to_json()
    assert repr(again) == repr(space)
    assert repr(space).startswith(f"{cls.__name__}(input_shape={SHAPES[cls]!r}, outputs=4, ")


@CLASSES
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_copies_are_their_own(cls, copied):
    space = cls(SHAPES[cls], 4)
    space.reasons = ("so",)
    other = copied(space)
    assert other.why == "- so"
    other.outputs = 7
    assert build(other).output_shape == (None, 7)
    assert build(space).output_shape == (None, 4)
    assert build(copied(space)).to_json() == build(space).to_json()


def _count(space):
    return build(space).count_params()


def test_another_process():
    x = np.random.default_rng(0).normal(5.0, 3.0, (60, 12, 2))
    space = suggest_hypermodel(x, np.arange(60) % 3)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_count, (space.alternative,)) == _count(space.alternative)


@CLASSES
def test_not_tunable(cls):
    space = cls(SHAPES[cls], 4)
    space.tunable = False
    hp = keras_tuner.HyperParameters()
    space.build(hp)
    assert not hp.space
    assert not pickle.loads(pickle.dumps(space)).tunable


@pytest.mark.parametrize("cls", [HyperMLP, HyperRNN, HyperSequenceCNN])
def test_normalize(cls):
    x = np.random.default_rng(0).normal([5, -100, 0], [2, 30, 0], (200, 3))
    shape = (3,) if cls is HyperMLP else (10, 3)
    data = x if cls is HyperMLP else x.reshape(20, 10, 3)
    space = cls(shape, 2, normalize=data)
    layer = build(space).get_layer("normalization")
    made = np.asarray(layer(data)).reshape(-1, 3)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(made.std(axis=0), [1, 1, 0], atol=1e-4)
    # Not blown up where training saw one value only.
    assert abs(float(layer(np.ones_like(data)).numpy()[..., 2].max()) - 1) < 1e-6
    again = cls.from_config(json.loads(json.dumps(space.get_config())))
    assert again.normalize == space.normalize
    adapted = keras.layers.Normalization()
    adapted.adapt(data)
    np.testing.assert_allclose(made, np.asarray(adapted(data)).reshape(-1, 3), atol=1e-4)


@CLASSES
def test_denormalize(cls):
    y = np.random.default_rng(0).normal([1000, -3], [50, 0.1], (500, 2))
    model = build(cls(SHAPES[cls], 2, task="regression", denormalize=y))
    head = model.layers[-1]
    given = head(np.array([[0, 0], [1, 1]], "float32")).numpy()
    np.testing.assert_allclose(given, [y.mean(axis=0), y.mean(axis=0) + y.std(axis=0)], rtol=1e-4)


@CLASSES
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("input_shape", 12, TypeError),
        ("input_shape", (), ValueError),
        ("input_shape", (12.5, 3), TypeError),
        ("input_shape", (0, 3), ValueError),
        ("input_shape", (3, None), TypeError),
        ("outputs", 0, ValueError),
        ("outputs", 2.0, TypeError),
        ("outputs", True, TypeError),
        ("task", "clasification", ValueError),
        ("one_hot", 1, TypeError),
        ("max_units", 8, ValueError),
        ("denormalize", np.arange(4.0), ValueError),
    ],
)
def test_wrong_arguments(cls, name, value, error):
    arguments = {"input_shape": SHAPES[cls], "outputs": 4, name: value}
    with pytest.raises(error, match=f"`{name}`"):
        cls(**arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"outputs": 1, "one_hot": True}, "one_hot"),
        ({"outputs": 3, "one_hot": True, "task": "regression"}, "one_hot"),
        ({"normalize": np.zeros((5, 2))}, "normalize"),
        ({"normalize": np.full((5, 4), np.nan)}, "normalize"),
        ({"normalize": {"mean": [0.0] * 4}}, "normalize"),
        ({"normalize": {"mean": [0.0] * 4, "variance": [-1.0] * 4}}, "normalize"),
        ({"normalize": {"mean": [0.0] * 4, "variance": [np.inf] * 4}}, "normalize"),
        ({"normalize": {"mean": 0.0, "variance": 1.0}}, "normalize"),
        ({"task": "regression", "denormalize": np.zeros((5, 2))}, "denormalize"),
        ({"max_layers": 0}, "max_layers"),
    ],
)
def test_wrong_arguments_together(arguments, name):
    with pytest.raises(ValueError, match=name):
        HyperMLP(**{"input_shape": (4,), "outputs": 3, **arguments})


def test_head_is_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = build(HyperCNN((16, 16, 3), 4))
    assert model.get_layer("conv_1_1").compute_dtype == "float16"
    assert model.output.dtype == "float32"


@pytest.mark.parametrize(
    ("space", "mode", "values"),
    [
        (HyperMLP((12,), 2, normalize=np.eye(12)), "int8", {"activation": "leaky_relu"}),
        (HyperCNN((16, 16), 4, rescale=0.5), "int8", {"reduction": "flatten"}),
        (HyperSequenceCNN((20, 3), 1, "regression", denormalize=[1.0, 9.0]), "int8", {}),
        (HyperRNN((12, 3), 4), "float32", {"convolution": True, "bidirectional": True}),
        (HyperRNN((12, 3), 4), "dynamic", {"cell": "gru", "layers": 2}),
    ],
)
def test_exports(space, mode, values):
    warnings.simplefilter("error", UserWarning)  # such as: these operations stay in float
    x = np.random.default_rng(0).normal(size=(100, *space.input_shape)).astype("float32")
    report = to_tflite(build(space, **values), mode=mode, calibration=x).report
    assert report.sqnr_db > (20 if mode == "int8" else 35)
