import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, to_tflite
from kerasopt.export.data.samples import Samples
from kerasopt.export.file.flatbuffer import Graph, Operator, Tensor
from kerasopt.export.validation.calibration_ranges import doubtful, outliers, remarks_on

layers = keras.layers
LOW = keras.initializers.Constant(-9.0)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8,), name="x"),
            layers.Dense(8, "relu", name="first"),
            layers.Dense(
                8, "relu", name="dead", bias_initializer=keras.initializers.Constant(-9.0)
            ),
            layers.Dense(8, name="third"),
            layers.Dense(3, "softmax", name="top", bias_initializer="ones"),
        ]
    )


@pytest.fixture(scope="module")
def rows8():
    return np.random.default_rng(0).normal(size=(128, 8)).astype("float32")


def quantized(name, dtype, scale, zero_point):
    return Tensor(name, (None, 4), dtype, scales=1, scale=scale, zero_point=zero_point)


def test_zero_and_large_ranges_by_layer():
    tensors = (
        quantized("a", "INT8", 1.0, -128),  # 0 to 255
        quantized("b", "INT8", 1.0, 0),
        quantized("c", "INT8", 2e-6 / 255, 0),
        quantized("d", "INT8", 1.0, -128),
        Tensor("e", (None, 4), "FLOAT32"),
        quantized("f", "INT16", 1.0, 0),
    )
    names = ("CONV_2D", "ADD", "FULLY_CONNECTED", "SOFTMAX", "MUL", "MUL")
    graph = Graph(
        tensors,
        tuple(Operator(name, (), (number,)) for number, name in enumerate(names)),
        (),
        (),
    )
    owners = [("conv", "relu"), ("add",), ("dead",), ("softmax",), ("float",), ("wide",)]
    usually = {"a": 2.5, "b": 1.3, "d": 1e-6, "e": 1e-6, "f": 300.0}
    zero, large = doubtful(graph, owners, usually)
    assert zero == ["dead"]
    assert large == {"conv": pytest.approx(256 / 2.5), "wide": pytest.approx(32768 / 300)}
    assert doubtful(graph, [()] * 6, usually) == ([], {})


def test_a_range_of_another_tensor_is_no_outlier():
    tensors = (
        *(quantized(name, "INT8", 4e6, 127) for name in ("scores", "turned", "masked")),
        Tensor("mask", (), "INT8", stored=1, scales=1, scale=4e6, zero_point=127),
        quantized("product", "INT8", 0.5, 3),
        quantized("rest", "INT8", 0.25, 7),
        quantized("sum", "INT8", 0.5, 3),
        quantized("alone", "INT8", 0.5, 3),
        quantized("flat", "INT8", 0.5, 3),
    )
    operators = (
        Operator("BATCH_MATMUL", (), (0,)),
        Operator("TRANSPOSE", (0,), (1,)),
        Operator("SELECT_V2", (1, 3), (2,)),
        Operator("FULLY_CONNECTED", (), (4,)),
        Operator("ADD", (4, 5), (6,)),
        Operator("CONV_2D", (), (7,)),
        Operator("RESHAPE", (7,), (8,)),
    )
    owners = [
        (name,) for name in ("attention", "turn", "softmax", "dense", "add", "conv", "flatten")
    ]
    usually = {one.name: 0.1 for one in tensors}
    usually.update(masked=5e8, sum=60.0, flat=60.0)
    # Of a convolution's own numbers the range is its own, though they keep it when they are shaped.
    assert doubtful(Graph(tensors, operators, (), ()), owners, usually) == (
        [],
        {"conv": pytest.approx(0.5 * 131 / 0.1)},
    )


def test_one_sample_larger_than_the_rest():
    calm = np.ones((50, 3))
    wild = np.ones((50, 3))
    wild[7, 1] = -150.0
    samples = Samples("calibration", ({"a": calm, "b": wild}, {"a": calm, "b": calm}))
    assert outliers(samples) == {"b": 150.0}
    assert outliers(Samples("calibration", ({"a": np.zeros((4, 2))},))) == {}


def test_words():
    said = remarks_on({}, ["a", "b", "c", "d", "e"], {"f": 123.4})
    assert "'f' numbers that are 123 times" in said[0]
    assert "'a', 'b', 'c' and 2 more gave nothing but zeros" in said[1]
    assert remarks_on({}, [], {}) == []


def test_sound_data_and_layers_give_no_remark(cnn, images):
    assert not to_tflite(cnn, None, "int8", calibration=images).report.warnings


def test_a_layer_that_gives_nothing_is_named_where_the_file_does_not_run(model, rows8):
    with pytest.raises(ExportError, match="does not run.*'dead'.* gave nothing but zeros"):
        to_tflite(model, None, "int8", calibration=rows8)
    assert (
        to_tflite(model, None, "int8", calibration=rows8, exclude=["dead", "third"]).report.sqnr_db
        > 20
    )


def test_an_outlier_is_named_by_its_input(model, rows8):
    data = rows8.copy()
    data[11] *= 1000.0
    with pytest.warns(UserWarning, match="'x' has a sample that is .* times the others"):
        to_tflite(model, None, "int8", calibration=data, least_db=-100)


def test_an_outlier_that_arises_inside_is_named_by_its_layer():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,), name="x")
    squared = layers.Dense(8, "exponential", name="sharp")(inputs)
    model = keras.Model(inputs, layers.Dense(3, name="top")(squared))
    data = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
    data[5] *= 8.0
    with pytest.warns(UserWarning, match="gave 'sharp'.* numbers that are .* times the usual"):
        to_tflite(model, None, "int8", calibration=data, least_db=-100)
