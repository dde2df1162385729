"""Code for apps: the file's own names, shapes and scales stand in it.

What can be checked of the text is checked; where there is a compiler, it reads the code too. That
of Kotlin is on the path or in the folder that `KOTLIN_HOME` names: `npm pack kotlin-compiler`
gives one.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.export import snippet, to_tflite
from kerasopt.export.codegen.parts import quoted
from tests.export.codegen.kotlin_api import DECLARATIONS

BOTH = pytest.mark.parametrize("platform", ["android", "ios"])
PAIRS = {")": "(", "]": "[", "}": "{"}


def balanced(code):
    """Tell whether the brackets outside of strings and comments close one another."""
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', code)
    bare = re.sub(r"(?s)/\*.*?\*/|//[^\n]*", "", bare)
    return not unclosed(bare)


def unclosed(text):
    stack = []
    for one in text:
        if one in PAIRS.values():
            stack.append(one)
        elif one in PAIRS and (not stack or stack.pop() != PAIRS[one]):
            return one
    return stack


@pytest.fixture(scope="module")
def integers(cnn, images):
    return {io: to_tflite(cnn, mode="int8", io=io, calibration=images) for io in ("int8", "uint8")}


@BOTH
def test_a_float_file(dense, tmp_path, platform):
    path = tmp_path / "my-net2.tflite"
    to_tflite(dense, path, metadata={"labels": ['a "$x"', "b\\", "ü"]})
    code = snippet(path, platform)
    assert balanced(code)
    assert code == snippet(str(path), platform)
    assert "any x 4 float32" in code
    assert "any x 3 float32" in code
    assert '"serving_default"' in code
    assert "level(" not in code
    if platform == "android":
        assert "class MyNet2Model(context: Context, gpu: Boolean = false)" in code
        assert "fun run(x: FloatArray): Outputs" in code
        assert 'inputs.getValue("x").writeFloat(x)' in code
        assert 'y = outputs.getValue("y").readFloat()' in code
        assert 'context.assets,\n        "my-net2.tflite",' in code
        assert "Options(Accelerator.GPU, Accelerator.CPU)" in code
        assert "Interpreter" not in code
        assert r'"a \"\$x\"",' in code
        assert "fun label(numbers: FloatArray): String" in code
        assert 'implementation("com.google.ai.edge.litert:litert:' in code
    else:
        assert "final class MyNet2Model {" in code
        assert "func run(x: [Float]) throws -> Outputs" in code
        assert "import TensorFlowLite\n" in code
        assert 'forResource: "my-net2", ofType: "tflite"' in code
        assert r'"a \"$x\"",' in code
        assert "static func label(_ numbers: [Float]) -> String" in code
    assert r'"b\\",' in code
    assert '"ü",' in code


@BOTH
@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_integers_are_scaled_as_the_file_has_it(integers, io, platform):
    made = integers[io]
    code = snippet(made, platform)
    assert balanced(code)
    (given,), (taken,) = made.report.inputs, made.report.outputs
    least, most = (-128, 127) if io == "int8" else (0, 255)
    scale, out = str(np.float32(given.scale)), str(np.float32(taken.scale))
    assert np.float32(scale) == np.float32(given.scale)
    suffix = "f" if platform == "android" else ""
    assert f"{scale}{suffix}, {given.zero_point}, {least}, {most})" in code
    assert f" - ({taken.zero_point})) * {out}{suffix}" in code
    assert f"any x 8 x 8 x 1 {io}, scale {scale}, zero point {given.zero_point}" in code
    if platform == "android":  # whose TensorBuffer has no uint8
        assert ("import com.google.ai.edge.litert.CompiledModel\n" in code) == (io == "int8")
        assert ("does not take uint8." in code) == (io == "uint8")
    if platform == "ios":  # whose Tensor has no int8
        assert ("import TensorFlowLiteC\n" in code) == (io == "int8")
        assert ("SignatureRunner\n" in code) == (io == "uint8")


@pytest.fixture(scope="module")
def several():
    """Two inputs, one with a free axis; two outputs; names that are words of the languages."""
    first = keras.Input((None, 3), name="val")
    second = keras.Input((2,), dtype="int32", name="read")
    outputs = {
        "fun": layers.Dense(2)(first),
        "func": layers.Embedding(5, 3)(second),
    }
    return to_tflite(keras.Model([first, second], outputs), metadata={"labels": ["a"]})


def test_several_inputs_and_outputs_in_kotlin(several):
    code = snippet(several, "android")
    assert balanced(code)
    assert "does not take axes of any size." in code
    assert re.search(r"fun run\(val_1: FloatArray, read_1: IntArray\)|"
                     r"fun run\(read_1: IntArray, val_1: FloatArray\)", code)  # fmt: skip
    assert '"val" to native(4 * val_1.size) { it.asFloatBuffer().put(val_1) }' in code
    assert '"read" to native(4 * read_1.size) { it.asIntBuffer().put(read_1) }' in code
    assert 'fun_1 = read("fun")' in code
    assert 'func = read("func")' in code
    assert "const val val_1Axis1 = 1" in code
    assert re.search(r"resizeInput\([01], intArrayOf\(1, val_1Axis1, 3\)\)", code)
    assert "LABELS" in code
    assert "fun label(" not in code


def test_several_inputs_and_outputs_in_swift(several):
    code = snippet(several, "ios")
    assert balanced(code)
    assert "val: [Float]" in code
    assert "read_1: [Int32]" in code
    assert '"val": val.withUnsafeBytes { Data($0) }' in code
    assert 'func_1: array(read("func"))' in code
    assert 'resizeInput(named: "val", toShape: [1, Self.valAxis1, 3])' in code
    assert "static let valAxis1: Int = 1" in code


def test_a_free_axis_beside_an_int8_output_in_swift(rng):
    model = keras.Sequential([keras.Input((None, 3), name="x"), layers.Dense(2, name="y")])
    made = to_tflite(model, mode="int8", io="int8", calibration=rng.random((120, 5, 3)))
    code = snippet(made, "ios")
    assert balanced(code)
    assert "static let xAxis1: Int32 = 1" in code
    assert 'ResizeInputTensor(runner, "x", [1, Self.xAxis1, 3], 3)' in code


def test_a_fixed_batch_is_said():
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3)])
    assert "on a batch of 8," in snippet(to_tflite(model, batch_size=8), "android")
    assert "on a batch of 1," in snippet(to_tflite(model), "ios")


@BOTH
def test_labels_as_an_argument_and_how_many(dense, platform):
    file = to_tflite(dense).bytes
    assert '"cat",' in snippet(file, platform, ["cat", "dog", "%(key)s"])
    assert '"%(key)s",' in snippet(file, platform, ["cat", "dog", "%(key)s"])
    assert "label" not in snippet(file, platform).lower()
    with pytest.raises(ValueError, match="`labels`.*3 strings"):
        snippet(file, platform, ["cat", "dog"])
    with pytest.raises(TypeError, match="`labels`"):
        snippet(file, platform, [1, 2, 3])


def test_wrong_arguments(dense, tmp_path):
    made = to_tflite(dense)
    with pytest.raises(ValueError, match="`platform`.*'android'"):
        snippet(made, "andriod")
    with pytest.raises(TypeError, match="`file`"):
        snippet(3, "ios")
    with pytest.raises(ValueError, match="no such file"):
        snippet(tmp_path / "no.tflite", "ios")


def test_a_file_without_a_signature():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 2), tf.float32)])
    def twice(x):
        return 2.0 * x

    function = twice.get_concrete_function()
    file = tf.lite.TFLiteConverter.from_concrete_functions([function], twice).convert()
    with pytest.raises(ValueError, match="`file`.*signature"):
        snippet(bytes(file), "ios")


def test_control_characters_in_strings():
    assert quoted("a\tb", "\\u%04x") == '"a\\u0009b"'
    assert quoted("a\tb", "\\u{%x}") == '"a\\u{9}b"'


@pytest.mark.skipif(not shutil.which("swiftc"), reason="swiftc is not installed")
def test_swift_parses(several, integers, tmp_path):
    for number, made in enumerate((several, *integers.values())):
        path = tmp_path / f"{number}.swift"
        path.write_text(snippet(made, "ios"))
        subprocess.run(["swiftc", "-parse", path], check=True)


def kotlin():
    """Give the command of a compiler of Kotlin for the JVM, or `None`."""
    if shutil.which("kotlinc"):
        return ["kotlinc"]
    jar = Path(os.environ.get("KOTLIN_HOME", "no"), "lib", "kotlin-compiler.jar")
    if not jar.is_file() or not shutil.which("java"):
        return None
    return ["java", "-Xmx1g", "-cp", str(jar), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
            "-kotlin-home", str(jar.parents[1]), "-no-reflect"]  # fmt: skip


@pytest.fixture(scope="module")
def every_type():
    """Inputs and outputs of all types that TensorBuffer takes."""
    kinds = ("float32", "int32", "int64", "bool")
    given = [keras.Input((3,), dtype=kind, name=f"in_{kind}") for kind in kinds]
    return to_tflite(keras.Model(given, {f"out_{one.name}": one[:, ::-1] for one in given}))


def test_every_type_has_its_method(every_type):
    code = snippet(every_type, "android")
    assert balanced(code)
    for kind, method in (("int32", "Int"), ("int64", "Long"), ("bool", "Boolean")):
        assert f'getValue("in_{kind}").write{method}(in_{kind})' in code
        assert f'getValue("out_in_{kind}").read{method}()' in code


def test_kotlin_calls_what_is_published(every_type, integers, several):
    declared = set(re.findall(r"\w+", " ".join(DECLARATIONS.values())))
    for made in (every_type, *integers.values(), several):
        code = snippet(made, "android")
        imported = re.findall(r"import (com\.google|org\.tensorflow)[\w.]*\.(\w+)", code)
        assert imported
        called = re.findall(r"(?:model|interpreter|getValue\(\"\w+\"\))\.(\w+)\(", code)
        assert {name for _, name in imported} | set(called) <= declared


@pytest.mark.skipif(not kotlin(), reason="no compiler of Kotlin: see KOTLIN_HOME above")
def test_kotlin_compiles(every_type, integers, several, dense, tmp_path):
    sources = dict(DECLARATIONS)
    for number, made in enumerate((every_type, *integers.values(), several, dense)):
        labels = ["a", '"$b"', "c"] if made is dense else None
        file = made if not isinstance(made, keras.Model) else to_tflite(made)
        code = snippet(file, "android", labels)
        sources[f"Model{number}.kt"] = code.replace("class Model(", f"class Model{number}(", 1)
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [*kotlin(), "-d", tmp_path / "out", *(tmp_path / name for name in sources)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
