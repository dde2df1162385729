import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.data.calibration_data import fits, read
from kerasopt.export.data.samples import MOST, Samples
from kerasopt.export.model.signature import Input

X = (Input("x", "x", (None, 4), "float32"),)
TWO = (Input("zebra", "zebra", (None, 4), "float32"), Input("ant", "ant", (None, 2), "int32"))


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((5, 4), index, "float32"), np.zeros(5)


def first(samples):
    return next(iter(samples.batches[0].values()))


@given(st.lists(st.integers(1, 4), max_size=4))
def test_fits_itself_and_any(shape):
    assert fits(shape, shape)
    assert fits(shape, [None] * len(shape))
    assert not fits(shape, [*shape, None])


DATA = np.arange(40, dtype="float32").reshape(10, 4)


@pytest.mark.parametrize(
    "value",
    [
        DATA,
        DATA.astype("float64"),
        DATA.astype("uint8"),
        DATA.tolist(),
        tf.constant(DATA),
        [DATA],
        (DATA,),
        list(DATA),
        {"x": DATA},
        tf.data.Dataset.from_tensor_slices(DATA).batch(3),
        tf.data.Dataset.from_tensor_slices((DATA, np.zeros(10))).batch(3),
        tf.data.Dataset.from_tensor_slices((DATA, np.zeros(10), np.ones(10))).batch(3),
        tf.data.Dataset.from_tensor_slices(({"x": DATA}, np.zeros(10))).batch(3),
        iter([DATA[:3], DATA[3:]]),
        ([part] for part in (DATA[:3], DATA[3:])),
        ((part, np.zeros(len(part))) for part in (DATA[:3], DATA[3:])),
        lambda: iter([[DATA[:3]], [DATA[3:]]]),
    ],
)
def test_forms_of_one_input(value):
    samples = read("calibration", value, X)
    assert len(samples) == 10
    assert first(samples).dtype == np.float32
    assert np.array_equal(first(samples), DATA)


def test_py_dataset_without_its_labels():
    samples = read("calibration", Batches(), X)
    assert len(samples) == 15
    assert first(samples)[-1].tolist() == [2.0] * 4


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("form", ["list", "tuple", "dict", "dataset", "labelled", "generator"])
def test_forms_of_two_inputs(form, shuffled):
    zebra, ant = DATA, np.ones((10, 2), "int64")
    named = {"ant": ant, "zebra": zebra} if shuffled else {"zebra": zebra, "ant": ant}
    value = {
        "list": [zebra, ant],
        "tuple": (zebra, ant),
        "dict": named,
        "dataset": tf.data.Dataset.from_tensor_slices(named).batch(4),
        "labelled": tf.data.Dataset.from_tensor_slices(((zebra, ant), np.zeros(10))).batch(4),
        "generator": ((zebra[i : i + 1], ant[i : i + 1]) for i in range(10)),
    }[form]
    samples = read("calibration", value, TWO)
    assert np.array_equal(samples.batches[0]["zebra"], zebra)
    assert samples.batches[0]["ant"].dtype == np.int32
    assert samples.batches[0]["ant"].shape == (10, 2)


def test_most_of_arrays_are_spread():
    values = np.repeat(np.arange(5000, dtype="float32")[:, None], 4, axis=1)
    samples = read("calibration", values, X)
    assert len(samples) == MOST
    assert first(samples)[-1, 0] == 4999


def test_most_of_a_stream_without_end_are_the_first():
    samples = read("calibration", itertools.repeat(np.ones((3, 4))), X, most=100)
    assert len(samples) == 100


def test_last_axis_of_one_is_added_as_keras_does():
    column = (Input("x", "x", (None, 1), "float32"),)
    assert first(read("validation_data", np.arange(3.0), column)).shape == (3, 1)
    grey = (Input("x", "x", (None, 2, 2, 1), "float32"),)
    assert first(read("validation_data", np.zeros((5, 2, 2)), grey)).shape == (5, 2, 2, 1)


def test_axes_of_any_size_keep_their_batches_apart():
    text = (Input("x", "x", (None, None), "float32"),)
    samples = read(
        "validation_data", iter([np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((1, 5))]), text
    )
    assert [first(Samples("", (b,))).shape for b in samples.batches] == [(4, 3), (1, 5)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((0, 4)), "at least one sample"),
        (iter([]), "at least one sample"),
        (tf.data.Dataset.from_tensor_slices(DATA).batch(3).take(0), "at least one sample"),
        (np.zeros(4), "batch axis is missing"),
        (tf.data.Dataset.from_tensor_slices(DATA), "batch axis is missing"),
        (np.zeros((5, 3)), r"shape \(samples, 4\) for input 'x'.*\(5, 3\)"),
        (np.zeros((5, 4, 1)), r"shape \(samples, 4\)"),
        (np.full((5, 4), np.nan), "finite numbers.*NaN"),
        (np.full((5, 4), np.inf), "finite numbers.*infinity"),
        (np.full((5, 4), 1e300), "fit float32"),
        ((DATA, np.zeros(10)), "Labels are not wanted"),
        ({"y": DATA}, "'x' is missing"),
        ([[1.0, 2.0], [3.0]], "data for input 'x'"),
    ],
)
def test_wrong_values(value, said):
    with pytest.raises(ValueError, match=f"(?s)`calibration`.*{said}"):
        read("calibration", value, X)


@pytest.mark.parametrize("value", ["words", np.array([["a"] * 4]), None, 1j * np.ones((2, 4))])
def test_wrong_types(value):
    with pytest.raises(TypeError, match="`validation_data`"):
        read("validation_data", value, X)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (DATA, "a dict by name, or a list in this order"),
        ([DATA], "one array for each"),
        ({"zebra": DATA}, "'ant' is missing"),
        ([DATA, np.ones((9, 2))], "as many samples for every input"),
        (iter([(DATA, np.ones((9, 2)))]), "as many samples for every input"),
        ([np.ones((10, 2)), DATA], r"shape \(samples, 4\) for input 'zebra'"),
    ],
)
def test_wrong_values_of_two_inputs(value, said):
    with pytest.raises(ValueError, match=said):
        read("calibration", value, TWO)
