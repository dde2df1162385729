"""A file as C source: a compiler reads it, and gives the same bytes."""

import shutil
import subprocess

import pytest

from kerasopt.export import to_c_array, to_tflite
from kerasopt.export.c_array import resolver_name


def test_the_operators_that_a_resolver_needs(cnn, images):
    made = to_tflite(cnn, None, "int8", images, io="int8")
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
    source.write_text(to_c_array(content, "m") + main)
    subprocess.run(["g++", "-o", tmp_path / "out", source], check=True)
    done = subprocess.run([tmp_path / "out"], capture_output=True, check=True)
    assert done.stdout == content


def test_a_name_that_is_none(dense):
    with pytest.raises(ValueError, match="`name`.*identifier"):
        to_c_array(to_tflite(dense).bytes, "my-model")
