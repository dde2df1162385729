"""The picture of what each TFLite mode costs and gives."""

import math
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib.text import Text

from kerasopt.export import Comparison, export_all
from kerasopt.export.runtime.latency import Pace
from kerasopt.reporting import plot_export


@pytest.fixture(scope="module")
def compared():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(256), keras.layers.Dense(3, activation="softmax")]
    )
    x = np.random.default_rng(0).random((100, 4), dtype=np.float32)
    y = model.predict(x, verbose=0).argmax(1)
    floor = {"int8": 999.0}
    return export_all(model, calibration=x, validation_data=(x, y), least_db=floor)


def made(compared, **changes):
    """Give a comparison of one report with changes to it, by mode."""
    report = compared["float32"].report
    files = {}
    for mode, (size, latency, db) in changes.items():
        cost = replace(report.cost, file_bytes=size)
        cost = replace(cost, latency=replace(cost.latency, median_ms=latency))
        agreement = {name: replace(a, sqnr_db=db) for name, a in report.agreement.items()}
        one = replace(report, cost=cost, agreement=agreement, accuracy={})
        files[mode] = SimpleNamespace(report=one)
    return Comparison(files, {})


def points(figure):
    return figure.axes[0].collections[0].get_offsets().tolist()


def test_a_mode_that_is_slower_than_float32_is_marked(compared):
    comparison = made(compared, float32=(2000, 1.0, 99.0), int8=(1000, 3.0, 30.0))
    slow = comparison.files["int8"]
    for verdict, said in (("slower", "int8\nslower than float32"), ("unclear", "int8")):
        slow.report = replace(slow.report, pace=Pace(3.0, 2.0, 4.0, 9, verdict))
        figure = plot_export(comparison)
        assert [text.get_text() for text in figure.axes[0].texts] == ["float32", said]
    assert comparison.rows()[2][5] == "unclear (2 to 4 times)"


def test_size_against_accuracy_with_the_latency_as_colour(compared, tmp_path):
    figure = plot_export(compared, path=tmp_path / "modes.png", title="a net")
    assert (tmp_path / "modes.png").stat().st_size > 5000
    axis, bar = figure.axes
    reports = [file.report for file in compared.files.values()]
    metric = "sparse_categorical_accuracy"
    expected = [[r.cost.file_bytes / 1000, r.accuracy[metric]["file"]] for r in reports]
    assert points(figure) == expected
    colours = axis.collections[0].get_array().tolist()
    assert colours == [r.cost.latency.median_ms for r in reports]
    assert [text.get_text() for text in axis.texts] == ["float32", "float16", "dynamic"]
    assert bar.get_ylabel() == "latency, median ms"
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("file, kB", metric.replace("_", " "))
    assert axis.get_legend_handles_labels()[1] == ["Keras"]
    assert figure.get_supxlabel() == "not made: int8"
    assert axis.get_title() == "a net"


def test_other_metrics(compared):
    found = plot_export(compared, "sqnr_db")
    ratios = [file.report.sqnr_db for file in compared.files.values()]
    assert [y for _, y in points(found)][1:] == ratios[1:]  # the first may be infinite
    assert found.axes[0].get_legend() is None
    found = plot_export(compared, "argmax")
    assert all(0.9 <= y <= 1.0 for _, y in points(found))


def test_without_labels_it_is_the_ratio_and_wide_ranges_are_logarithmic(compared):
    narrow = made(compared, a=(1000, 1.0, 50.0), b=(2000, 1.5, 40.0))
    axis, _ = plot_export(narrow).axes
    assert (axis.get_ylabel(), axis.get_xscale()) == ("signal to noise, dB", "linear")
    wide = made(compared, a=(1000, 0.1, 50.0), b=(50_000, 9.0, 40.0))
    axis, bar = plot_export(wide).axes
    assert (axis.get_xscale(), bar.get_yscale()) == ("log", "log")


def test_an_exact_file_stands_on_top(compared):
    figure = plot_export(made(compared, a=(1000, 1.0, math.inf), b=(900, 1.0, 50.0)))
    assert [y for _, y in points(figure)] == pytest.approx([55.0, 50.0])
    assert figure.axes[0].texts[0].get_text() == "a (no difference)"


def test_names_do_not_overlap(compared):
    near = {f"mode{n}": (1000 + n, 1.0, 50.0) for n in range(5)}
    figure = plot_export(made(compared, **near, far=(1900, 1.0, 50.0)))
    figure.draw_without_rendering()
    # Without the lines that lead to the points.
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])


def test_wrong_arguments(compared, tmp_path):
    with pytest.raises(TypeError, match="`comparison`"):
        plot_export({"int8": 3})
    with pytest.raises(ValueError, match="`metric`.*'sqnr_db'"):
        plot_export(compared, "sqnr")
    with pytest.raises(ValueError, match="`path`"):
        plot_export(compared, path=tmp_path / "plot.txt")
    with pytest.raises(TypeError, match="`path`"):
        plot_export(compared, path=3)
    with pytest.raises(ValueError, match="`comparison`"):
        plot_export(Comparison({}, {"int8": "no"}))
