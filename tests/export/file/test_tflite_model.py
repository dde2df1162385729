import numpy as np
import pytest

from kerasopt.export import to_tflite
from kerasopt.export.file.tflite_model import check_path


@pytest.fixture(scope="module")
def exported(dense):
    return to_tflite(dense)


def test_predict_like_keras(exported, dense, rows):
    np.testing.assert_allclose(exported.predict(rows), np.asarray(dense(rows)), atol=1e-6)
    whole = exported.predict(rows)
    assert np.array_equal(exported.predict(rows, batch_size=7), whole)
    assert np.array_equal(exported.predict({"x": rows}), whole)
    assert np.array_equal(exported.predict([rows]), whole)
    assert np.array_equal(exported.predict(rows.astype("float64")), whole)


def test_predict_passes_on_what_is_not_finite(exported):
    assert np.isnan(exported.predict(np.full((1, 4), np.nan))).all()


@pytest.mark.parametrize("x", [np.zeros((0, 4)), np.zeros(4), np.zeros((1, 5))])
def test_predict_on_wrong_shapes(exported, x):
    with pytest.raises(ValueError, match="`x`"):
        exported.predict(x)


def test_evaluate_names_its_own_argument(exported, rows):
    with pytest.raises(ValueError, match="`y`. Expected 120 labels"):
        exported.evaluate(rows, np.zeros(7, int))
    with pytest.raises(ValueError, match="`y`. Expected an array of numbers"):
        exported.evaluate(rows, ["a"] * 120)


def test_save_is_the_same_file_and_runs_elsewhere(exported, rows, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    path = tmp_path / "model.tflite"
    exported.save(path)
    assert path.read_bytes() == exported.bytes
    run = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    assert np.array_equal(run(x=rows[:1])["y"], exported.predict(rows[:1]))


def test_benchmark(exported):
    latency = exported.benchmark(threads=2, seconds=0.05, runs=30)
    assert (latency.threads, latency.runs, latency.batch) == (2, 30, 1)


@pytest.mark.parametrize(
    "wrong", [{"threads": 0}, {"runs": 0}, {"seconds": 0}, {"seconds": float("nan")}]
)
def test_benchmark_refuses(exported, wrong):
    with pytest.raises((TypeError, ValueError), match=f"`{next(iter(wrong))}`"):
        exported.benchmark(**wrong)


def test_repr_says_the_essentials(exported):
    assert "float32" in repr(exported)
    assert "dB" in repr(exported)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.h5", r"ends in `.tflite`"),
        ("model", r"ends in `.tflite`"),
        ("missing/model.tflite", "folder that exists"),
        ("folder.tflite", "It is a folder"),
    ],
)
def test_paths_that_will_not_do(tmp_path, name, said):
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(ValueError, match=said):
        check_path(tmp_path / name)


def test_a_path_is_text_or_path(tmp_path):
    assert check_path(str(tmp_path / "a.tflite")) == tmp_path / "a.tflite"
    with pytest.raises(TypeError, match="`path`"):
        check_path(3)
