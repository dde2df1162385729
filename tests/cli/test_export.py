"""`kerasopt export`, `inspect`, `benchmark`, `compare`: output, exit codes, mistakes."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from keras import layers

import kerasopt.cli.export as commands
from kerasopt.cli.data import load
from kerasopt.cli.main import main
from kerasopt.export.runtime.latency import Latency, Timed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    keras.utils.set_random_seed(0)
    where = tmp_path_factory.mktemp("files")
    model = keras.Sequential(
        [keras.Input((6, 6, 3), name="image"), layers.Conv2D(8, 3, activation="relu"),
         layers.Flatten(), layers.Dense(4, name="kind")]
    )  # fmt: skip
    model.save(where / "model.keras")
    rng = np.random.default_rng(0)
    x = rng.random((120, 6, 6, 3)).astype("float32")
    np.save(where / "x.npy", x)
    np.savez(where / "x.npz", image=x)
    np.save(where / "y.npy", model.predict(x, verbose=0).argmax(1))
    np.save(where / "wrong.npy", x[..., :2])
    (where / "noise.tflite").write_bytes(b"\0\0\0\0TFL3" + rng.bytes(200))
    (where / "images").mkdir()
    for number in range(100):
        pixels = rng.integers(0, 256, (12, 9, 3), np.uint8)
        (where / "images" / f"{number:03}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    assert run(where, "export", "model.keras", "-o", "float.tflite").exit_code == 0
    return where


def run(where, command, *arguments):
    """Call a command; what names a file stands in the folder."""
    there = [
        str(where / one) if "." in one or one == "images" else one for one in map(str, arguments)
    ]
    return CliRunner().invoke(main, [command, *there])


def test_export_to_int8_with_labels(folder):
    arguments = ["export", "model.keras", "-o", "int8.tflite", "--mode", "int8", "--io", "int8"]
    arguments += ["--c-array", "int8.cc"]
    arguments += [
        "--calibration",
        "x.npz",
        "--validation-data",
        "x.npy",
        "--labels",
        "y.npy",
        "--json",
    ]
    done = run(folder, *arguments)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["mode"] == "int8"
    assert "const uint8_t int8[]" in (folder / "int8.cc").read_text()
    assert report["accuracy"]["sparse_categorical_accuracy"]["file"] > 0.9
    assert report["cost"]["file_bytes"] == (folder / "int8.tflite").stat().st_size


def test_a_folder_of_images_calibrates(folder):
    done = run(folder, "export", "model.keras", "-o", "images.tflite", "--mode", "int8",
               "--calibration", "images")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "CONV_2D" in done.stdout


def test_inspect(folder):
    done = run(folder, "inspect", "float.tflite")
    assert done.exit_code == 0
    assert "FULLY_CONNECTED" in done.stdout
    plain = json.loads(run(folder, "inspect", "float.tflite", "--json").stdout)
    assert plain["operations"][0]["name"] == "CONV_2D"
    done = run(folder, "inspect", "model.keras")
    assert "kind/kernel" in done.stdout
    assert json.loads(run(folder, "inspect", "model.keras", "--json").stdout)["total"] == 0.0


def test_metadata(folder):
    (folder / "said.json").write_text('{"version": "1.2", "labels": ["a", "b", "c", "d"]}')
    (folder / "cut.json").write_text('{"version": ')
    (folder / "three.json").write_text('{"labels": ["a", "b", "c"]}')
    arguments = ["export", "model.keras", "-o", "said.tflite", "--metadata"]
    assert run(folder, *arguments, "said.json").exit_code == 0
    plain = json.loads(run(folder, "inspect", "said.tflite", "--json").stdout)
    assert plain["metadata"] == {"version": "1.2", "labels": ["a", "b", "c", "d"]}
    arguments[3] = "a.tflite"
    for name, said in ("cut.json", "JSON"), ("three.json", "4 strings"), ("no.json", "no such"):
        done = run(folder, *arguments, name)
        assert done.exit_code == 2
        assert "`metadata" in done.output
        assert said in done.output
    assert not (folder / "a.tflite").exists()


def test_snippets(folder):
    arguments = ["export", "model.keras", "-o", "phone.tflite", "--snippet", "android"]
    done = run(folder, *arguments)
    assert "class PhoneModel(context: Context, gpu: Boolean = false)" in done.stdout
    assert "CONV_2D" in done.stdout
    code = json.loads(run(folder, *arguments, "--json").stdout)["snippet"]
    assert code in done.stdout
    assert "fun run(image: FloatArray): Outputs" in code
    assert run(folder, "inspect", "phone.tflite", "--snippet", "android").stdout == f"{code}\n"
    done = run(folder, "inspect", "phone.tflite", "--snippet", "ios", "--json")
    assert "final class PhoneModel {" in json.loads(done.stdout)["snippet"]
    assert run(folder, "inspect", "model.keras", "--snippet", "ios").exit_code == 2


def test_files_beside_the_model_and_folders_that_are_made(folder):
    (folder / "beside").mkdir()
    (folder / "beside" / "net.keras").write_bytes((folder / "model.keras").read_bytes())
    assert "net.tflite" in run(folder, "export", "beside/net.keras").stderr
    done = run(folder, "export", "beside/net.keras", "--mode", "float16", "--json")
    assert json.loads(done.stdout)["mode"] == "float16"
    assert {one.name for one in (folder / "beside").iterdir()} == {
        "net.keras", "net.tflite", "net-float16.tflite"
    }  # fmt: skip
    done = run(folder, "export", "model.keras", "-o", "new/int.tflite", "--c-array", "c/int.cc")
    assert done.exit_code == 0, done.output
    assert (folder / "new" / "int.tflite").exists()
    assert "const uint8_t int_model[]" in (folder / "c" / "int.cc").read_text()


def test_what_reads_a_file_imports_neither_tensorflow_nor_keras(folder):
    script = (
        "import sys; from click.testing import CliRunner; from kerasopt.cli.main import main\n"
        "for words in 'inspect', 'inspect --snippet ios', 'benchmark --seconds .01':\n"
        "    print(CliRunner().invoke(main, [*words.split(), 'float.tflite']).exit_code)\n"
        "print({'tensorflow', 'keras', 'jax', 'torch', 'scipy'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0", "0", "set()"]


def test_a_reader_that_goes_away_is_no_error(folder):
    command = [sys.executable, "-m", "kerasopt.cli", "inspect", "float.tflite"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(300)


def test_benchmark(folder):
    run(folder, "export", "model.keras", "-o", "half.tflite", "--mode", "float16")
    done = run(folder, "benchmark", "float.tflite", "half.tflite", "--seconds", "0", "--json")
    assert done.exit_code == 2
    done = run(folder, "benchmark", "float.tflite", "half.tflite", "--json")
    found = json.loads(done.stdout)
    assert len(found) == 2
    assert all(0 < one["low_ms"] <= one["median_ms"] <= one["high_ms"] for one in found.values())
    first, second = found.values()
    assert first["pace"] is None
    assert second["pace"]["verdict"] in ("slower", "faster", "alike", "unclear")
    assert second["pace"]["rounds"] >= 5
    shown = run(folder, "benchmark", "float.tflite", "half.tflite").stdout
    for head in ("median, ms", "half within", "95 %, ms", "beside the first", "activations"):
        assert head in shown


def test_compare(folder, monkeypatch):
    command = ["compare", "model.keras", "float.tflite", "--data", "x.npy"]
    found = json.loads(run(folder, *command, "--json").stdout)
    assert found["outputs"]["kind"]["argmax"] == 1.0
    both = found["latency"]
    assert both["model"]["threads"] == both["file"]["threads"] == 1
    assert both["pace"]["rounds"] >= 5
    assert both["pace"]["verdict"] in ("faster", "slower", "alike", "unclear")
    one = Latency(1.25, 1.5, 5, low_ms=1.0, high_ms=1.375)
    rounds = ((1.0,) * 5, (1.0, 0.2, 5.0, 1.0, 9.0))
    monkeypatch.setattr(commands, "latency_in_turn", lambda *_: Timed((one, one), rounds))
    done = run(folder, *command)
    assert done.exit_code == 0
    for said in ("kind", "100.0%", "1.25", "1 to 1.38", "unclear (1 to 5 times)"):
        assert said in done.stdout

    def fails(*_):
        raise RuntimeError("The Keras model could not be timed: no class X")

    monkeypatch.setattr(commands, "latency_in_turn", fails)
    done = run(folder, *command)
    assert done.exit_code == 0
    assert "no class X (Leave it out with --no-latency.)" in done.stderr
    done = run(folder, *command, "--no-latency", "--json")
    assert json.loads(done.stdout).keys() == {"outputs"}
    run(folder, "export", "model.keras", "-o", "half.tflite", "--mode", "float16")
    done = run(
        folder, "compare", "model.keras", "half.tflite", "--data", "x.npy", "--least", "1000"
    )
    assert done.exit_code == 1
    assert "less than 1000" in done.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["export", "no.keras", "-o", "a.tflite"], 2, "no such file"),
        (["export", "x.npy", "-o", "a.tflite"], 2, "something else"),
        (["export", "model.keras", "-o", "a.h5"], 2, "`path`"),
        (["export", "model.keras", "-o", "a.tflite", "--mode", "int8"], 2, "`calibration`"),
        (["export", "model.keras", "-o", "a.tflite", "--mode", "int9"], 2, "int9"),
        (
            ["export", "model.keras", "-o", "a.tflite", "--validation-data", "wrong.npy"],
            2,
            "`validation_data`",
        ),
        (
            ["export", "model.keras", "-o", "a.tflite", "--validation-data", "model.keras"],
            2,
            "`validation_data`",
        ),
        (["export", "model.keras", "-o", "a.tflite", "--labels", "y.npy"], 2, "`labels`"),
        (["export", "model.keras", "-o", "a.tflite", "--c-array", "x.npy/a.cc"], 2, "`c_array`"),
        (["export", "model.keras", "-o", "x.npy/a.tflite"], 2, "`output`"),
        (["inspect", "noise.tflite"], 2, "`file`"),
        (["inspect", "x.npy"], 2, "`file`"),
        (["benchmark", "noise.tflite"], 2, "`file`"),
        (["benchmark", "no.tflite"], 2, "no such file"),
        (["compare", "model.keras", "noise.tflite", "--data", "x.npy"], 2, "`file`"),
        (["compare", "model.keras", "float.tflite", "--data", "wrong.npy"], 2, "`data`"),
    ],
)
def test_mistakes_end_with_a_line_and_not_with_a_trace(folder, arguments, code, said):
    done = run(folder, *arguments)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert "Traceback" not in done.output
    assert not (folder / "a.tflite").exists()


def test_a_model_that_cannot_be_had_in_a_mode_ends_with_one(folder):
    pool = keras.Sequential([keras.Input((4, 4, 4, 1)), layers.MaxPooling3D(2)])
    pool.save(folder / "pool.keras")
    done = run(folder, "export", "pool.keras", "-o", "a.tflite")
    assert done.exit_code == 1
    assert "MaxPool3D" in done.output
    assert not (folder / "a.tflite").exists()


def test_labels_alone_are_those_of_the_calibration(folder):
    arguments = ["export", "model.keras", "-o", "labels.tflite", "--mode", "int8", "--json"]
    arguments += ["--calibration", "x.npy", "--labels"]
    labels = np.load(folder / "y.npy")
    (folder / "y.csv").write_text("kind\n" + "\n".join(map(str, labels)))
    for name in ("y.npy", "y.csv"):
        done = run(folder, *arguments, name)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["accuracy"]["sparse_categorical_accuracy"]["file"] > 0.9


def test_a_saved_model_in_place_of_a_model(folder):
    keras.models.load_model(folder / "model.keras").export(folder / "s.avedmodel", verbose=False)
    done = run(folder, "export", "s.avedmodel", "-o", "saved.tflite", "--validation-data", "x.npy")
    assert done.exit_code == 0, done.output
    command = ["compare", "s.avedmodel", "saved.tflite", "--data", "x.npy", "--json"]
    done = run(folder, *command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["latency"]["model"]["median_ms"] > 0
    done = run(folder, "inspect", "s.avedmodel")
    assert done.exit_code == 2
    assert "SavedModel" in done.output


def test_layers_of_a_model_of_keras(folder):
    done = run(folder, "inspect", "model.keras")
    assert done.exit_code == 0
    assert "any x 4 x 4 x 8" in done.stdout
    layers_found = json.loads(run(folder, "inspect", "model.keras", "--json").stdout)["layers"]
    assert [one["bytes"] for one in layers_found] == [4 * 224, 0, 4 * 516]
    assert layers_found[2]["output"] == [None, 4]
    assert layers_found[2]["quantization"] is None


def test_tables_with_and_without_a_heading(tmp_path):
    (tmp_path / "a.csv").write_text("one,two\n1,2\n3,4\n")
    (tmp_path / "b.csv").write_text("1,2\n3,4.5\n")
    assert load("data", str(tmp_path / "a.csv")).tolist() == [[1, 2], [3, 4]]
    assert load("data", str(tmp_path / "b.csv")).tolist() == [[1, 2], [3, 4.5]]
    (tmp_path / "c.csv").write_text("1,2\n3,x\n")
    (tmp_path / "d.npy").write_bytes(b"no array")
    np.save(tmp_path / "e.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "f.npz", x=np.array([{}]))
    (tmp_path / "g.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "h.csv").write_bytes(bytes(range(256)))
    for name in "c.csv", "d.npy", "e.npy", "f.npz", "g.npz", "h.csv":
        with pytest.raises(ValueError, match="`data`.*cannot be read"):
            load("data", str(tmp_path / name))


def test_images_want_a_model_of_images(folder):
    for size in (None, (None, 6, 3)):
        with pytest.raises(ValueError, match="`data`.*no images of one size"):
            load("data", str(folder / "images"), size)
    assert load("data", str(folder / "images"), (6, 6, 3)).shape == (100, 6, 6, 3)


def test_layers_kept_in_float(folder):
    arguments = ["--mode", "int8", "--calibration", "x.npy", "--json"]
    done = run(
        folder, "export", "model.keras", "-o", "kept.tflite", *arguments, "--exclude", "kind"
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["excluded"] == ["kind"]
    assert report["float_ops"] == {"FULLY_CONNECTED": 1}
    auto = ["--exclude", "auto", "--max-accuracy-drop", "1"]
    done = run(folder, "export", "model.keras", "-o", "auto.tflite", *arguments, *auto)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["excluded"] == []
    done = run(folder, "export", "model.keras", "-o", "no.tflite", *arguments, "--exclude", "other")
    assert done.exit_code == 2
    assert "matches a layer" in done.output
    assert not (folder / "no.tflite").exists()


def test_sensitivity(folder):
    done = run(folder, "sensitivity", "model.keras", "--calibration", "x.npy", "--plot", "s.png")
    assert done.exit_code == 0, done.output
    assert "kind" in done.output
    assert "conv2d" in done.output
    assert (folder / "s.png").stat().st_size > 1000
    done = run(folder, "sensitivity", "model.keras", "--mode", "int4", "--json")
    assert [set(one) for one in json.loads(done.stdout)["layers"]]
    done = run(folder, "sensitivity", "model.keras")
    assert done.exit_code == 2
    assert "calibration" in done.output
