"""Which search space suits some data."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from kerasopt.tuning.hypermodels import (
    HyperCNN,
    HyperMLP,
    HyperRNN,
    HyperSequenceCNN,
    suggest_hypermodel,
)
from tests.conftest import examples
from tests.tuning.hypermodels.spaces import build

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 4
TABLE = RNG.normal(size=(40, 5))


def data(*shape, dtype="float32"):
    return (np.random.default_rng(1).random((40, *shape)) * 255).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "dtype", "cls"),
    [
        ((5,), "float32", HyperMLP),
        ((1,), "uint8", HyperMLP),
        ((32, 32, 3), "uint8", HyperCNN),
        ((32, 24, 1), "float32", HyperCNN),
        ((28, 28), "uint8", HyperCNN),
        ((28, 20), "uint8", HyperCNN),
        ((8, 8), "float64", HyperCNN),
        ((28, 20), "float32", HyperSequenceCNN),
        ((100, 3), "uint8", HyperSequenceCNN),
        ((7, 7), "float32", HyperRNN),
        ((4, 4), "float32", HyperRNN),
        ((9, 1), "int64", HyperSequenceCNN),
    ],
)
def test_kind(shape, dtype, cls):
    x = data(*shape, dtype=dtype)
    suggested = suggest_hypermodel(x, LABELS)
    assert type(suggested) is cls
    assert suggested.input_shape == shape
    assert str(x.shape) in suggested.reasons[0]
    assert suggested.why in str(suggested)
    assert suggested.reasons[-1] == "Search by val_accuracy (max)."


@pytest.mark.parametrize("shape", [(5,), (16, 16), (9, 2)])
def test_bytes_train_as_they_are(shape):
    x = data(*shape, dtype="uint8")
    build(suggest_hypermodel(x, LABELS)).fit(x, LABELS, verbose=0, batch_size=40)


def test_alternative():
    suggested = suggest_hypermodel(data(20, 3), LABELS)
    assert isinstance(suggested, HyperSequenceCNN)
    assert isinstance(suggested.alternative, HyperRNN)
    common = {"input_shape", "outputs", "task", "normalize", "one_hot", "denormalize"}
    one, other = suggested.get_config(), suggested.alternative.get_config()
    assert all(one[name] == other[name] for name in common)
    assert "`alternative` is a recurrent network" in suggested.why
    assert suggest_hypermodel(TABLE, LABELS).alternative is None


@pytest.mark.parametrize(
    ("low", "high", "dtype", "factor"),
    [
        (0, 255, "uint8", 1 / 255),
        (0, 200, "float32", 1 / 255),
        (0, 1, "float32", None),
        (0, 1, "uint8", None),
        (0, 16, "float64", 1 / 16),
        (0, 4095, "uint16", 1 / 4095),
        (-1, 1, "float32", None),
        (-128, 127, "int8", 1 / 128),
    ],
)
def test_range_of_pixels(low, high, dtype, factor):
    x = np.linspace(low, high, 40 * 64).reshape(40, 8, 8, 1).astype(dtype)
    suggested = suggest_hypermodel(x, LABELS)
    assert suggested.rescale == (None if factor is None else pytest.approx(factor))
    assert ("no rescaling" in suggested.why) == (factor is None)


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        (TABLE, False),
        (TABLE * 100, True),
        (TABLE + 5, True),
        (TABLE * [1, 1, 1, 1, 1e-3], True),
        (RNG.random((40, 5)), False),
        (np.ones((40, 5)), False),
    ],
)
def test_range_of_features(x, wanted):
    suggested = suggest_hypermodel(x, LABELS)
    assert (suggested.normalize is not None) == wanted
    assert ("no normalization" in suggested.why) != wanted


def test_flattened_images_are_noticed():
    assert "give x.reshape(-1, 28, 28)" in suggest_hypermodel(data(784), LABELS).why


@pytest.mark.parametrize(
    ("y", "task", "outputs", "one_hot"),
    [
        (LABELS, "classification", 4, False),
        (LABELS[:, None], "classification", 4, False),
        (LABELS.astype("float32"), "classification", 4, False),
        (LABELS > 1, "classification", 2, False),
        (LABELS + 1, "classification", 5, False),
        ((LABELS > 1) * 1.0, "classification", 2, False),
        (list(LABELS), "classification", 4, False),
        (np.eye(4)[LABELS], "classification", 4, True),
        (np.eye(4, dtype=bool)[LABELS], "classification", 4, True),
        (np.eye(4)[LABELS] + np.eye(4)[0] * (LABELS > 1)[:, None], "multi_label", 4, False),
        (np.arange(40), "regression", 1, False),
        (np.linspace(0, 1, 40), "regression", 1, False),
        (np.linspace(0, 1, 40)[:, None], "regression", 1, False),
        (RNG.normal(size=(40, 3)), "regression", 3, False),
        (np.arange(80).reshape(40, 2), "regression", 2, False),
    ],
)
def test_task(y, task, outputs, one_hot):
    suggested = suggest_hypermodel(TABLE, y)
    assert (suggested.task, suggested.outputs, suggested.one_hot) == (task, outputs, one_hot)
    logs = build(suggested).fit(
        TABLE, np.asarray(y), validation_split=0.2, verbose=0, batch_size=40
    ).history  # fmt: skip
    assert np.isfinite(logs[suggested.objective.name]).all()


def test_more_classes_must_be_frequent():
    x = np.zeros((1000, 2))
    assert suggest_hypermodel(x, np.arange(1000) % 100).task == "classification"
    assert suggest_hypermodel(x, np.arange(1000) % 101).task == "regression"
    assert suggest_hypermodel(x, np.arange(1000) % 100 + 1).task == "regression"
    # Two classes are two classes, however few samples there are.
    assert suggest_hypermodel(x[:3], [0, 1, 0]).outputs == 2


def test_task_by_hand():
    assert suggest_hypermodel(TABLE, LABELS, task="regression").outputs == 1
    y = np.arange(40)
    assert suggest_hypermodel(TABLE, y, task="classification").outputs == 40
    suggested = suggest_hypermodel(TABLE, np.eye(4)[LABELS], task="multi_label")
    assert suggested.objective.name == "val_loss"
    assert suggest_hypermodel(TABLE, LABELS[:, None] > 1, task="multi_label").outputs == 1


def test_scale_of_targets():
    assert suggest_hypermodel(TABLE, RNG.normal(size=40)).denormalize is None
    suggested = suggest_hypermodel(TABLE, RNG.normal(500, 9, size=40))
    assert suggested.denormalize["mean"][0] == pytest.approx(500, rel=0.02)
    assert "behind the head" in suggested.why


def test_unbalanced_classes_are_said():
    why = suggest_hypermodel(TABLE, [1] * 4 + [0] * 36).why
    assert "90% of the samples are of one class" in why


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        (np.array(["a text"] * 40), TypeError, "TextVectorization"),
        (np.array([["a", 1]] * 40, object), TypeError, "StringLookup"),
        (np.zeros(40), ValueError, r"x\.reshape\(-1, 1\)"),
        (np.zeros((40, 2, 2, 2, 2)), ValueError, "of your own"),
        (np.zeros((40, 3, 32, 32)), ValueError, r"np\.moveaxis"),
        (np.zeros((0, 3)), ValueError, "at least one sample"),
        (np.full((40, 3), np.nan), ValueError, r"x\[0\]"),
        (np.where(np.arange(80) == 77, np.inf, 0.0).reshape(40, 2), ValueError, r"x\[38\]"),
        ({"a": TABLE}, TypeError, "Several inputs"),
        ([[1, 2], [3]], ValueError, "differ in length"),
        (tf.data.Dataset.from_tensors(TABLE), TypeError, "some batches"),
        (iter(TABLE), TypeError, "some batches"),
        (TABLE * 1j, TypeError, "complex"),
        (3.0, ValueError, "at least one sample"),
    ],
)
def test_wrong_data(x, error, said):
    with pytest.raises(error, match=said) as caught:
        suggest_hypermodel(x, LABELS)
    assert "`x" in str(caught.value)


@pytest.mark.parametrize(
    ("y", "error", "said"),
    [
        (np.array(["cat", "dog"] * 20), TypeError, "return_inverse"),
        (np.zeros(40), ValueError, "at least two different targets"),
        (np.tile([0, 1], (40, 1)), ValueError, "at least two different targets"),
        (np.where(np.arange(40) == 7, np.nan, 1.0), ValueError, r"y\[7\]"),
        (LABELS[:39], ValueError, "40 targets"),
        (np.zeros((40, 2, 2)), ValueError, "more axes"),
        (LABELS % 2 * 2 - 1, ValueError, "return_inverse"),
        (LABELS * 100, ValueError, "return_inverse"),
    ],
)
def test_wrong_targets(y, error, said):
    with pytest.raises(error, match=said) as caught:
        suggest_hypermodel(TABLE, y)
    assert "`y" in str(caught.value)


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.linspace(0, 1, 40), "classification"),
        (RNG.normal(size=(40, 2)), "multi_label"),
        (np.tril(np.ones((40, 4))), "classification"),
        (LABELS, "clustering"),
        (LABELS, "multi_label"),
    ],
)
def test_targets_that_do_not_suit_the_task(y, task):
    with pytest.raises(ValueError, match="`task`"):
        suggest_hypermodel(TABLE, y, task=task)


SHAPES = st.one_of(
    st.tuples(st.integers(1, 40)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(5, 40), st.integers(1, 40), st.integers(1, 4)),
)
TYPES = st.sampled_from(["uint8", "int16", "int64", "float16", "float32", "float64", "bool"])


@examples(150)
@given(shape=SHAPES, dtype=TYPES, top=st.sampled_from([1, 9, 100, 255]), seed=st.integers(0, 99))
def test_any_data(shape, dtype, top, seed):
    x = (np.random.default_rng(seed).random((12, *shape)) * top).astype(dtype)
    suggested = suggest_hypermodel(x, np.arange(12) % 3)
    gray = len(shape) == 2 and min(shape) >= 8 and (dtype == "uint8" or shape[0] == shape[1])
    image = len(shape) == 3 or gray
    assert isinstance(suggested, HyperCNN) == image
    assert isinstance(suggested, HyperMLP) == (len(shape) == 1)
    if image:
        scaled = x.astype("float64") * (suggested.rescale or 1.0)
        assert 0.0 <= scaled.min() <= scaled.max() <= 1.0 + 1e-6
    elif suggested.normalize is None:
        assert abs(x.astype("float64").mean(axis=tuple(range(x.ndim - 1)))).max() <= 1.0
    assert all(reason.endswith((".", ")")) for reason in suggested.reasons)
    assert type(suggested).from_config(suggested.get_config()).get_config() == (
        suggested.get_config()
    )


@examples(150)
@given(
    values=st.lists(st.integers(0, 30), min_size=2, max_size=200),
    dtype=st.sampled_from(["int32", "uint8", "float32"]),
)
def test_any_whole_targets(values, dtype):
    y = np.array(values, dtype)
    kinds, top = len(set(values)), max(values)
    assume(kinds > 1)
    classes = kinds <= 20 and (2 * kinds <= len(values) or set(values) == {0, 1})
    if classes and top > 2 * kinds:
        with pytest.raises(ValueError, match="without wide gaps"):
            suggest_hypermodel(np.zeros((len(y), 1)), y)
        return
    suggested = suggest_hypermodel(np.zeros((len(y), 1)), y)
    assert suggested.task == ("classification" if classes else "regression")
    assert suggested.outputs == (top + 1 if classes else 1)


@examples(100)
@given(
    rows=st.integers(2, 12).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 1), min_size=n, max_size=n), min_size=2)
    )
)
def test_any_rows_of_zeros_and_ones(rows):
    y = np.array(rows)
    assume((y != y[0]).any())
    suggested = suggest_hypermodel(np.zeros((len(y), 1)), y)
    single = (y.sum(axis=1) == 1).all()
    assert suggested.task == ("classification" if single else "multi_label")
    assert (suggested.outputs, suggested.one_hot) == (y.shape[1], bool(single))


@pytest.mark.parametrize(
    ("load", "epochs", "reached"),
    [(load_iris, 40, 0.9), (load_breast_cancer, 8, 0.93)],
)
def test_default_learns_classes(load, epochs, reached):
    x, y = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y, half = x[order], y[order], len(x) // 2
    model = build(suggest_hypermodel(x[:half], y[:half]))
    model.fit(x[:half], y[:half], epochs=epochs, verbose=0, batch_size=16)
    assert model.evaluate(x[half:], y[half:], verbose=0)[1] > reached


def test_default_learns_numbers():
    x, y = load_diabetes(return_X_y=True)
    model = build(suggest_hypermodel(x[:300], y[:300]))
    model.fit(x[:300], y[:300], epochs=15, verbose=0)
    error = model.evaluate(x[300:], y[300:], verbose=0)[1]
    assert error < 0.8 * np.abs(y[300:] - y[:300].mean()).mean()
    assert isinstance(model.layers[-1], keras.layers.Normalization)


def test_a_table_of_one_hot_columns_is_no_worse_than_without_a_normalization():
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, 201)
    kind = rng.choice(200, size=2000, p=share / share.sum())
    numbers = rng.normal(size=(2000, 2))
    effect = 2 * rng.normal(size=200)
    y = (effect[kind] + numbers[:, 0] > 0).astype(int)
    x = np.concatenate([np.eye(200)[kind], numbers * [10, 0.1] + [50, 3]], axis=1)
    suggested = suggest_hypermodel(x, y)
    assert "one-hot or mostly 0" in suggested.why
    assert "keeps these zeros" in suggested.why
    mean, variance = (np.array(suggested.normalize[name]) for name in ("mean", "variance"))
    used = x[:, :200].any(axis=0)
    np.testing.assert_array_equal(mean[:200][used], 0.0)
    np.testing.assert_allclose(variance[:200], 1.0)
    coded = suggest_hypermodel(x[:, :200], y)
    assert coded.normalize is None
