"""A file as C source: a compiler reads it, and gives the same bytes."""

import re
import shutil
import subprocess
import warnings

import keras
import pytest
from keras import layers, ops

from kerasopt.export import benchmark, inspect, to_c_array, to_tflite
from kerasopt.export.codegen.c_array import identifier
from kerasopt.export.file.flatbuffer import Graph, Operator, Tensor
from kerasopt.export.file.micro import KERNELS, obstacles, resolver_name


def test_the_operators_that_a_resolver_needs(cnn, images):
    made = to_tflite(cnn, None, "int8", calibration=images, io="int8")
    text = to_c_array(made.bytes, "digits")
    assert f"// tflite::MicroMutableOpResolver<{len(made.report.ops)}> resolver;" in text
    assert text.count("// resolver.Add") == len(made.report.ops)
    for name in ("Conv2D", "FullyConnected", "MaxPool2D", "Reshape", "Softmax"):
        assert f"// resolver.Add{name}();" in text


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("AVERAGE_POOL_2D", "AddAveragePool2D"),
        ("L2_NORMALIZATION", "AddL2Normalization"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
        ("HARD_SWISH", "AddHardSwish"),
        ("CUMSUM", "AddCumSum"),
        ("PADV2", "AddPadV2"),
        ("SELECT_V2", "AddSelectV2"),
        ("REVERSE_V2", "AddReverseV2"),
        ("BATCH_MATMUL", "AddBatchMatMul"),
        ("BATCH_TO_SPACE_ND", "AddBatchToSpaceNd"),
        ("LOG_SOFTMAX", "AddLogSoftmax"),
        ("TFLite_Detection_PostProcess", "AddDetectionPostprocess"),
    ],
)
def test_names(operator, expected):
    assert resolver_name(operator) == expected


@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler")
def test_a_compiler_gives_the_same_bytes(dense, tmp_path):
    content = to_tflite(dense).bytes
    source = tmp_path / "model.cc"
    main = "#include <cstdio>\nint main() { std::fwrite(m, 1, m_length, stdout);"
    main += " return reinterpret_cast<size_t>(m) % 16 ? 1 : 0; }\n"
    text = to_c_array(content, "m")
    assert "alignas(16)" in text  # what a compiler does without it is luck
    source.write_text(text + main)
    subprocess.run(["g++", "-o", tmp_path / "out", source], check=True)
    done = subprocess.run([tmp_path / "out"], capture_output=True, check=True)
    assert done.stdout == content


# The methods of tensorflow/lite/micro/micro_mutable_op_resolver.h that add a built-in operator.
METHODS = """Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd
    BroadcastArgs BroadcastTo CallOnce Cast Ceil CircularBuffer Concatenation Conv2D Cos
    CumSum DepthToSpace DepthwiseConv2D Dequantize DetectionPostprocess Div DynamicUpdateSlice
    Elu EmbeddingLookup Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected
    Gather GatherNd Greater GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less
    LessEqual Log LogicalAnd LogicalNot LogicalOr Logistic LogSoftmax Maximum MaxPool2D Mean
    Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2 Prelu Quantize ReadVariable ReduceAll
    ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2
    Round Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt
    Square SquaredDifference Squeeze StridedSlice Sub Sum Svdf Tanh Transpose TransposeConv
    UnidirectionalSequenceLSTM Unpack VarHandle While ZerosLike"""


def test_every_name_is_a_method_of_the_resolver():
    assert {resolver_name(one) for one in KERNELS} == {f"Add{one}" for one in METHODS.split()}


@pytest.fixture(scope="module")
def hard():
    """A model of operators that TFLite Micro lacks, and of those that it names otherwise."""
    x = keras.Input((4, 4, 2), name="x")
    y = layers.UpSampling2D(name="up")(x)
    y = layers.Conv2D(4, 3, activation="gelu", name="conv")(y)
    y = ops.pad(y, [[0, 0], [1, 1], [0, 0], [0, 0]], constant_values=1.0)
    y = layers.Dense(3, name="top")(layers.Flatten()(ops.cumsum(y, -1)))
    return to_tflite(keras.Model(x, y))


def test_what_tflite_micro_lacks_is_said_with_the_layers(hard):
    with pytest.warns(UserWarning, match="TFLite Micro cannot run") as caught:
        text = to_c_array(hard)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    said = str(caught[0].message)
    for line in ("GELU (conv): TFLite Micro has no kernel", "TILE (up)"):
        assert line in said
    for name in ("Gelu", "Tile"):
        assert f"resolver.Add{name}();" not in text
    assert "//   GELU (conv)" in text
    assert "resolver.AddCumSum();" in text
    assert "resolver.AddPadV2();" in text
    added = re.findall(r"resolver\.(\w+)\(\);", text)
    assert f"MicroMutableOpResolver<{len(added)}>" in text


def test_the_same_of_a_path_and_of_bytes(hard, tmp_path):
    path = tmp_path / "hard.tflite"
    hard.save(path)
    with pytest.warns(UserWarning, match="GELU") as caught:
        texts = [to_c_array(file) for file in (path, str(path), hard.bytes, hard)]
    assert len({*texts[:3]}) == 1
    assert "conv" in str(caught[0].message)
    assert len({text.split("#include")[1] for text in texts}) == 1
    assert inspect(hard) == inspect(path)
    assert benchmark(hard, seconds=0.01).runs >= 5
    for wrong, error in ((3, TypeError), (tmp_path / "no.tflite", ValueError), (b"x", ValueError)):
        with pytest.raises(error, match="`file`"):
            to_c_array(wrong)


def test_nothing_is_said_of_a_file_that_runs(cnn, images):
    made = to_tflite(cnn, mode="int8", calibration=images, batch_size=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_c_array(made)


def test_types_that_tflite_micro_does_not_take(cnn, images):
    found = {}
    for mode in ("float16", "dynamic", "weight_only", "int4"):
        made = to_tflite(cnn, mode=mode, calibration=images)
        with pytest.warns(UserWarning, match="TFLite Micro cannot run") as caught:
            to_c_array(made)
        found[mode] = str(caught[0].message)
    assert "DEQUANTIZE FLOAT16" in found["float16"]
    assert "hybrid" in found["dynamic"]
    assert "first channel's scale" in found["weight_only"]
    assert "INT4" in found["int4"]


def test_a_free_batch_in_a_graph():
    def graph(batch):
        tensors = (Tensor("a", (batch, 4), "FLOAT32"), Tensor("shape/b", (2,), "INT32"))
        return Graph(tensors, (Operator("FILL", (0,), (1,)),), (0,), (1,))

    (one,) = obstacles((graph(None),), (("layer",),))
    assert str(one) == "FILL (layer): the batch axis is free; export with `batch_size=1`"
    assert obstacles((graph(1),)) == []


@pytest.mark.parametrize(
    "name",
    ["my-model", "7seg", "", "int", "class", "alignas", "uint8_t", "int_fast8_t", "size_t", "main",
     "_x", "_Model", "a__b", "modèle"],
)  # fmt: skip
def test_a_name_that_is_none(dense, name):
    with pytest.raises(ValueError, match="`name`.*identifier"):
        to_c_array(to_tflite(dense).bytes, name)


def test_names_of_any_text():
    for text in ("int", "7", "a__b", "__", "ünï", "uint8_t", "x" * 3, "a b.c"):
        name = identifier(text)
        assert name.isascii()
        assert name.isidentifier()
    assert identifier("digits-int8") == "digits_int8"
    assert identifier("uint8_t") == "uint8_t_model"


def test_a_name_of_another_type(dense):
    with pytest.raises(TypeError, match="`name`"):
        to_c_array(to_tflite(dense), 3)
