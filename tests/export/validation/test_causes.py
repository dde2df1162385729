"""A refusal names what is really at fault, and what is then advised helps."""

import warnings

import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, to_tflite
from kerasopt.export.file.flatbuffer import Graph, Operator
from kerasopt.export.process.client import WORKER, CrashError
from kerasopt.export.validation.causes import failing, lost_columns, not_run

layers, ops = keras.layers, keras.ops
SAMPLES = ("calibration data", "samples that are not like the rest")


def refusal(model, data, mode="int8", **options):
    with pytest.raises(ExportError) as caught:
        to_tflite(model, None, mode, calibration=data, **options)
    return str(caught.value)


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(0).normal(size=(120, 8, 16)).astype("float32")


class OwnAttention(layers.Layer):
    def call(self, x):
        scores = ops.matmul(x, ops.transpose(x, (0, 2, 1)))
        return ops.matmul(ops.softmax(scores + (1 - ops.tril(ops.ones((8, 8)))) * -1e9), x)


def attention(kind):
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 16), name="x")
    if kind == "MultiHeadAttention":
        inner = layers.MultiHeadAttention(2, 8, name="att")(x, x, use_causal_mask=True)
    elif kind == "Attention":
        inner = layers.Attention(name="att")([x, x], use_causal_mask=True)
    else:
        inner = OwnAttention(name="att")(x)
    return keras.Model(x, layers.Dense(3, name="y")(layers.Flatten()(inner)))


@pytest.mark.parametrize("kind", ["MultiHeadAttention", "Attention", "own"])
def test_a_mask_is_not_blamed_on_samples(kind, tokens):
    model = attention(kind)
    said = refusal(model, tokens)
    assert "'att' masks attention scores with numbers as large as" in said
    assert not any(one in said for one in SAMPLES)
    if kind == "MultiHeadAttention":
        assert "e+38" in said
        assert to_tflite(model, None, "int8", calibration=tokens, exclude="att").report.sqnr_db > 25
        assert "'att' masks attention" in refusal(model, tokens, "int16x8")


def test_a_mask_that_does_no_harm_is_not_blamed_on_samples():
    keras.utils.set_random_seed(0)
    ids = keras.Input((8,), dtype="int32", name="ids")
    embedded = layers.Embedding(50, 16, mask_zero=True, name="emb")(ids)
    inner = layers.MultiHeadAttention(2, 8, name="att")(embedded, embedded)
    model = keras.Model(ids, layers.Dense(3, name="y")(layers.GlobalAveragePooling1D()(inner)))
    data = np.random.default_rng(0).integers(0, 50, (120, 8))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        to_tflite(model, None, "int8", calibration=data)
    assert not [one for one in seen if "times the usual" in str(one.message)]


def test_columns_of_unequal_sizes_are_named_with_their_normalization():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(200, 4)) * [1, 1000, 1e-2, 10] + [0, 1e4, 0, 5]).astype("float32")
    norm = layers.Normalization(name="norm")
    norm.adapt(data)
    body = [layers.Dense(8, "tanh"), layers.Dense(3, name="y")]
    model = keras.Sequential([keras.Input((4,), name="x"), norm, *body])
    said = refusal(model, data)
    assert "Input 'x' has one scale for all its columns" in said
    assert "columns 0, 2, 3" in said
    assert "keep 'norm' in float" in said
    assert not any(one in said for one in SAMPLES)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        to_tflite(model, None, "int8", calibration=data, least_db=-1e3)
    assert any("columns 0, 2, 3" in str(one.message) for one in seen)
    assert to_tflite(model, None, "int8", calibration=data, exclude="norm").report.sqnr_db > 25


def test_probabilities_of_an_untrained_model_are_smaller_than_a_step():
    keras.utils.set_random_seed(0)
    top = layers.Dense(1000, "softmax", name="top")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), top])
    data = np.random.default_rng(0).normal(size=(120, 4)).astype("float32")
    said = refusal(model, data)
    assert "a step of the file is 0.00391" in said
    assert "leave the softmax out" in said
    assert not any(one in said for one in SAMPLES)


def test_numbers_that_are_rounded_before_something_is_decided_by_them():
    keras.utils.set_random_seed(0)
    numbers = np.random.default_rng(0).integers(0, 500, (120, 1)).astype("float32")
    n = keras.Input((1,), name="n")
    columns = layers.CategoryEncoding(500, output_mode="one_hot", name="columns")(n)
    model = keras.Model(n, layers.Dense(3, name="y")(columns))
    said = refusal(model, numbers)
    assert "one-hot columns of 'columns' wrong in int8" in said
    assert "Input 'n' is rounded to eight bits and then turned into indices by 'columns'" in said
    assert not any(one in said for one in SAMPLES)
    assert (
        to_tflite(model, None, "int8", calibration=numbers, exclude="columns").report.sqnr_db > 25
    )


def test_whole_numbers_in_int16x8():
    ids = keras.Input((8,), dtype="int32", name="ids")
    inner = layers.Flatten()(layers.Embedding(50, 4)(ids))
    model = keras.Model(ids, layers.Dense(3)(inner))
    said = refusal(model, np.random.default_rng(0).integers(0, 50, (120, 8)), "int16x8")
    assert "input 'ids' was not seen in calibration. The mode int16x8 asks for ranges" in said
    assert "Max and min" not in said


class Summing(layers.Layer):
    def call(self, x):
        return x * ops.sum(ops.abs(x), -1, keepdims=True)


@pytest.mark.parametrize("kind", [layers.UnitNormalization, Summing])
def test_int16x8_gives_a_sum_the_range_of_what_is_summed(kind):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16,)), layers.Dense(24), kind(name="last")])
    data = np.random.default_rng(0).normal(size=(120, 16)).astype("float32")
    said = refusal(model, data, "int16x8")
    assert "sum in 'last' the range of what is summed in int16x8" in said
    assert not any(one in said for one in SAMPLES)
    file = to_tflite(model, None, "int8", calibration=data)
    assert file.report.sqnr_db > 30


def test_sparse_is_what_is_blamed_for_a_sparse_file():
    keras.utils.set_random_seed(0)
    inner = layers.Dense(64, "relu")
    model = keras.Sequential([keras.Input((64,)), inner, layers.Dense(3)])
    kernel = inner.kernel.numpy()
    inner.kernel.assign(kernel * (np.random.default_rng(0).random(kernel.shape) > 0.8))
    data = np.random.default_rng(1).normal(size=(120, 64)).astype("float32")
    said = refusal(model, data, sparse=True)
    assert "Use `sparse=False`" in said
    assert "mask" not in said.lower()


def test_the_operation_that_litert_names():
    graph = Graph((), (Operator("MUL", (), ()), Operator("SQUARED_DIFFERENCE", (), ())), (), ())
    owned = (("scale",), ("norm",))
    message = "x was not true.Node number 1 (SQUARED_DIFFERENCE) failed to prepare."
    assert failing(message, graph, owned) == (graph.operators[1], ("norm",))
    assert failing("failed to delegate MUL node #0", graph, owned) == (
        graph.operators[0],
        ("scale",),
    )
    assert failing("Node number 163 (TfLiteXNNPackDelegate) failed", graph, owned) is None
    known = {"mask": layers.Masking(), "lstm": layers.LSTM(2)}
    said = not_run(message, "int8", graph, owned, known)
    assert "does not bear SQUARED_DIFFERENCE of 'norm' in int8" in said
    assert "mask" not in said
    delegate = "Node number 163 (TfLiteXNNPackDelegate) failed to prepare"
    assert "'mask' masks steps of 'lstm'" in not_run(delegate, "int8", graph, owned, known)
    assert "mask" not in not_run(delegate, "int8", graph, owned, {"lstm": known["lstm"]})
    assert not_run("anything", "float32", graph, owned, known) == ""


def test_a_file_that_ends_the_process_that_runs_it_ends_not_this_one(dense, rows, monkeypatch):
    asked = WORKER.ask

    def ask(task, *args, **kwargs):
        if task == "run":
            raise CrashError("SIGABRT", ["F squared_difference.cc Check failed"])
        return asked(task, *args, **kwargs)

    monkeypatch.setattr(WORKER, "ask", ask)
    said = refusal(dense, rows)
    assert "The int8 file was converted but ends the process that runs it (SIGABRT)" in said
    assert "mode='dynamic'" in said


def test_columns_that_are_lost():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(300, 4)) * [1.0, 1000.0, 0.0, 30.0]
    assert lost_columns(data, 8.0) == [0]
    # What Keras never saw vary, it multiplies by a great deal.
    assert lost_columns(data, 8.0, np.array([1.0, 1000.0, 1e-7, 30.0])) == [0, 2]
    assert lost_columns(data[:, :1], 8.0) == []
    assert lost_columns(data, 0.01) == []
