import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.model.signature import signature_of, unique


def names(model):
    return [one.name for one in signature_of(model).inputs]


@given(st.lists(st.text(max_size=5), max_size=8))
def test_unique_names_are_plain(words):
    found = list(unique(words))
    assert len(found) == len(words)
    assert len(set(found)) == len(found)
    assert all(name.isidentifier() and name.isascii() for name in found)


def test_functional_inputs_keep_their_order(two_inputs):
    assert names(two_inputs) == ["zebra", "ant"]


def test_unnamed_inputs_are_called_as_their_layers():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert names(model) == [model.layers[0].name]
    assert names(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])) == ["inputs"]


def test_dict_inputs_by_key():
    a, b = keras.Input((4,), name="b"), keras.Input((2,), name="a")
    model = keras.Model({"b": a, "a": b}, {"sum": keras.layers.Concatenate()([a, b])})
    signature = signature_of(model)
    assert {one.name: one.shape for one in signature.inputs} == {"a": (None, 2), "b": (None, 4)}
    outputs = signature.call(model, {"a": np.ones((1, 2)), "b": np.zeros((1, 4))})
    assert np.asarray(outputs["sum"]).tolist() == [[0, 0, 0, 0, 1, 1]]


def test_sequential_built_by_data_forgets_its_batch():
    model = keras.Sequential([keras.layers.Dense(2)])
    model(np.ones((7, 3)))
    assert signature_of(model).inputs[0].shape == (None, 3)


def test_fixed_batch():
    inputs = keras.Input(batch_shape=(2, 4), name="x")
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert signature_of(model).batch == 2
    assert signature_of(model, 1).batch == 1


class Plain(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


class Dicts(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return {"minus": self.dense(x["b"]) - x["a"], "first": (x["a"], x["b"])}


def test_subclassed():
    model = Plain()
    model(np.ones((2, 4)))
    assert names(model) == ["inputs"]
    assert signature_of(model).inputs[0].shape == (None, 4)
    assert list(signature_of(model).call(model, {"inputs": np.ones((2, 4))})) == ["output_0"]


def test_subclassed_dicts():
    model = Dicts()
    model({"b": np.ones((2, 4)), "a": np.ones((2, 3))})
    signature = signature_of(model)
    assert {one.name: one.shape for one in signature.inputs} == {"a": (None, 3), "b": (None, 4)}
    outputs = signature.call(model, {"a": np.ones((1, 3)), "b": np.zeros((1, 4))})
    assert set(outputs) == {"minus", "first_0", "first_1"}
    assert np.asarray(outputs["minus"]).tolist() == [[-1, -1, -1]]


def test_two_outputs_of_one_layer_have_two_names():
    shared = keras.layers.Dense(3, name="head")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], [shared(a), shared(b)])
    outputs = signature_of(model).call(model, {"a": np.ones((1, 4)), "b": np.zeros((1, 4))})
    assert list(outputs) == ["head", "head_1"]


def test_strings_are_refused():
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, keras.layers.StringLookup(vocabulary=["a", "b"])(inputs))
    with pytest.raises(ValueError, match=r"inputs are numbers.*before the model"):
        signature_of(model)
