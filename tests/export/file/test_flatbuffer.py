"""What is read from a file: parts, memory, multiplications."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import to_tflite
from kerasopt.export.file.flatbuffer import Graph, Operator, Tensor, TFLiteFile, structure
from kerasopt.export.file.operations import operations, peak_memory
from kerasopt.pruning import mask


def chain(*sizes, links):
    """Give a graph of int8 tensors with these sizes and operators from the first to the second."""
    tensors = tuple(Tensor(f"t{i}", (size,), "INT8") for i, size in enumerate(sizes))
    operators = tuple(Operator("ADD", tuple(read), tuple(made)) for read, made in links)
    return Graph(tensors, operators, (0,), (len(sizes) - 1,))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (chain(10, 20, 5, links=[([0], [1]), ([1], [2])]), 30),
        (chain(10, 20, 30, links=[([0], [1]), ([0, 1], [2])]), 60),  # the input is read again
        (chain(10, 1, 1, 1, links=[([0], [1]), ([1], [2]), ([0, 2], [3])]), 12),
        (chain(10, links=[]), 10),
        (chain(10, 20, 5, links=[([0, -1], [1]), ([1], [2])]), 30),  # an input left out
    ],
)
def test_memory_by_lifetimes(graph, expected):
    assert peak_memory(graph) == expected


def test_constants_take_none_and_variables_do_all_the_time():
    tensors = (
        Tensor("x", (4,), "FLOAT32"),
        Tensor("w", (1000,), "FLOAT32", stored=4000),
        Tensor("state", (3,), "FLOAT32", variable=True),
        Tensor("y", (2, None), "INT4"),
    )
    graph = Graph(tensors, (Operator("FULLY_CONNECTED", (0, 1), (3,)),), (0,), (3,))
    assert peak_memory(graph) == 16 + 12 + 1


MODELS = [
    (layers.Dense(5, use_bias=False), (7,), 35),
    (layers.Conv2D(6, 3, use_bias=False), (8, 8, 4), 36 * 6 * 9 * 4),
    (layers.Conv2D(6, 3, groups=2, use_bias=False), (8, 8, 4), 36 * 6 * 9 * 2),
    (layers.Conv2D(6, 3, strides=2, padding="same"), (8, 8, 4), 16 * 6 * 9 * 4),
    (layers.DepthwiseConv2D(3), (8, 8, 4), 36 * 4 * 9),
    (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 4), 36 * 8 * 9),
    (layers.SeparableConv2D(5, 3), (8, 8, 4), 36 * 4 * 9 + 36 * 4 * 5),
    (layers.Conv2DTranspose(6, 3, strides=2), (4, 4, 3), 16 * 3 * 9 * 6),
    (layers.Conv1D(5, 3), (9, 4), 7 * 5 * 3 * 4),
    (layers.Conv3D(5, 2), (4, 4, 4, 3), 27 * 5 * 8 * 3),
    (layers.Dot(axes=(2, 2)), None, 5 * 6 * 7),
]


@pytest.mark.parametrize(("layer", "shape", "expected"), MODELS)
def test_multiplications_are_those_of_the_layer(layer, shape, expected):
    if shape is None:
        inputs = [keras.Input((5, 7)), keras.Input((6, 7))]
        model = keras.Model(inputs, layer(inputs))
    else:
        model = keras.Sequential([keras.Input(shape), layer])
    (graph,) = structure(to_tflite(model).bytes)
    found = operations(graph)
    assert sum(one.macs for one in found) == expected
    assert sum(one.stored for one in found) == sum(one.stored for one in graph.tensors)
    assert found[0].to_dict()["shape"] == list(found[0].shape)


def test_int8_takes_a_quarter_of_the_memory(cnn, images):
    floats, whole = (
        structure(to_tflite(cnn, mode=mode, calibration=images, io=io).bytes)[0]
        for mode, io in (("float32", "float32"), ("int8", "int8"))
    )
    assert peak_memory(floats) == 4 * peak_memory(whole)
    scales = [one for one in whole.tensors if one.dtype == "INT8" and one.scales == 1]
    assert scales
    assert all(one.scale > 0 and one.zero_point is not None for one in scales)
    assert any(one.scales > 1 and one.scale is None for one in whole.tensors)


def test_zeros_are_counted():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.layers[0].kernel.assign(np.eye(4, 3))
    (graph,) = structure(to_tflite(model).bytes)
    kernel = next(one for one in graph.tensors if one.stored and len(one.shape) == 2)
    assert (kernel.zeros, kernel.size, kernel.stored) == (9, 12, 48)


def test_weights_widened_when_the_file_is_loaded_are_no_activations(cnn, images):
    floats = structure(to_tflite(cnn).bytes)[0]
    for mode in ("float16", "weight_only", "int4"):
        report = to_tflite(cnn, None, mode, validation_data=images).report
        assert report.ops["DEQUANTIZE"] >= 3
        assert report.cost.peak_memory == peak_memory(floats)
        # Their bytes are the layer's that reads them.
        widened = [one for one in report.operations if one.name == "DEQUANTIZE"]
        assert {one.layers for one in widened} >= {("digit",)}
        assert all(one.layers for one in widened)


def test_zeros_of_four_bits_are_counted():
    kernel = np.zeros((5, 3), "float32")
    kernel[0], kernel[3, 1] = (1.0, 2.0, 3.0), -1.0
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    model.layers[0].kernel.assign(kernel)
    (graph,) = structure(to_tflite(model, None, "int4", validation_data=np.eye(5)).bytes)
    found = next(one for one in graph.tensors if one.dtype == "INT4")
    assert (found.size, found.stored, found.zeros) == (15, 8, 11)


def test_zeros_and_steps_of_each_operation(images):
    from kerasopt.pruning import prune

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, name="conv"),
            layers.Flatten(),
            layers.Dense(4, name="top"),
        ]
    )
    prune(model, 0.75, include="top")
    report = to_tflite(model, None, "int8", calibration=images).report
    found = {one.layers[0]: one for one in report.operations if one.weights}
    assert (found["conv"].weights, found["top"].weights) == (72, 288 * 4)
    assert found["top"].zeros >= 0.75 * 288 * 4
    assert found["conv"].zeros < 0.1 * 72
    assert found["conv"].scale > 0
    assert sum(one.zeros for one in found.values()) == pytest.approx(
        report.cost.sparsity * sum(one.weights for one in found.values())
    )
    assert f"{found['top'].zeros / found['top'].weights:.1%}" in str(report)


def test_agrees_with_the_interpreter(cnn):
    from ai_edge_litert.interpreter import Interpreter

    exported = to_tflite(cnn)
    found = TFLiteFile(exported.bytes).contents
    # Without delegates, the interpreter's own (private) list is the file's.
    from ai_edge_litert.interpreter import OpResolverType

    interpreter = Interpreter(
        model_content=exported.bytes,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    listed = [op["op_name"] for op in interpreter._get_ops_details()]
    assert sorted(listed) == sorted(name for name, count in found.ops.items() for _ in range(count))
    assert exported.report.cost.ops == len(listed)
    assert not found.quantized_ops
    assert found.float_ops["CONV_2D"] == 1


@pytest.mark.parametrize("io", ["float32", "int8", "uint8"])
def test_full_int8(cnn, images, io):
    exported = to_tflite(cnn, None, "int8", calibration=images, io=io)
    found = TFLiteFile(exported.bytes).contents
    assert not found.float_ops
    assert not exported.report.float_ops
    assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "MAX_POOL_2D"} <= set(found.quantized_ops)
    assert "FLOAT32" not in found.constants
    assert [port.dtype for port in (*exported.report.inputs, *exported.report.outputs)] == [io, io]
    got = exported.predict(images)
    assert got.dtype == np.float32
    assert np.abs(got - np.asarray(cnn(images))).max() < 0.02


def test_dynamic_has_int8_weights(cnn):
    found = TFLiteFile(to_tflite(cnn, mode="dynamic").bytes).contents
    assert found.constants["INT8"] >= 1
    assert not found.quantized_ops


def test_float16_has_float16_weights(cnn):
    found = TFLiteFile(to_tflite(cnn, mode="float16").bytes).contents
    assert found.constants["FLOAT16"] >= 4


@pytest.mark.parametrize("mode", ["float32", "float16", "int8"])
def test_the_zeros_of_the_file_are_those_of_the_kernels(mode, images):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(9),
        ]
    )
    for layer in (model.layers[0], model.layers[2]):
        kernel = layer.kernel.numpy()
        kernel[mask(kernel, 0.75) == 0] = 0.0
        layer.kernel.assign(kernel)
    cost = to_tflite(model, None, mode, calibration=images).report.cost
    assert cost.sparsity == pytest.approx(0.75, abs=0.01 if mode == "int8" else 1e-4)
    assert cost.sparsity >= 0.75 - 1e-4
