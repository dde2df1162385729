import keras
import numpy as np
import pytest

from kerasopt.export import to_tflite
from kerasopt.export.schema import contents
from kerasopt.pruning import mask


def test_agrees_with_the_interpreter(cnn):
    from ai_edge_litert.interpreter import Interpreter

    exported = to_tflite(cnn)
    found = contents(exported.bytes)
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
    exported = to_tflite(cnn, None, "int8", images, io=io)
    found = contents(exported.bytes)
    assert not found.float_ops
    assert not exported.report.float_ops
    assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "MAX_POOL_2D"} <= set(found.quantized_ops)
    assert "FLOAT32" not in found.constants
    assert [port.dtype for port in (*exported.report.inputs, *exported.report.outputs)] == [io, io]
    got = exported.predict(images)
    assert got.dtype == np.float32
    assert np.abs(got - np.asarray(cnn(images))).max() < 0.02


def test_dynamic_has_int8_weights(cnn):
    found = contents(to_tflite(cnn, mode="dynamic").bytes)
    assert found.constants["INT8"] >= 1
    assert not found.quantized_ops


def test_float16_has_float16_weights(cnn):
    found = contents(to_tflite(cnn, mode="float16").bytes)
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
    cost = to_tflite(model, None, mode, images).report.cost
    assert cost.sparsity == pytest.approx(0.75, abs=0.01 if mode == "int8" else 1e-4)
    assert cost.sparsity >= 0.75 - 1e-4
