"""The picture of which layers do not bear quantization."""

import math

import pytest

from kerasopt.export import LayerError, Sensitivity
from kerasopt.reporting import plot_sensitivity


def found(count=3):
    rows = [
        LayerError(f"layer{number}", 20.0 + number, 1 / count, 10) for number in range(count - 1)
    ]
    return Sensitivity(
        "int8", (*rows, LayerError("still", math.inf, 0.0, 0)), 18.0, "validation_data"
    )


def test_bars_and_what_stands_beside_them(tmp_path):
    figure = plot_sensitivity(found(), tmp_path / "plot.png")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["layer0", "layer1", "still"]
    assert [bar.get_width() for bar in axis.patches] == pytest.approx([1 / 3, 1 / 3, 0.0])
    assert [text.get_text() for text in axis.texts] == ["20 dB", "21 dB", "no change"]
    assert axis.get_title() == "int8, all layers: 18 dB"
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_only_the_worst_of_many():
    (axis,) = plot_sensitivity(found(50), most=5).axes
    assert len(axis.patches) == 5
    assert "45 more layers" in axis.get_xlabel()


def test_wrong_arguments(tmp_path):
    with pytest.raises(TypeError, match="found"):
        plot_sensitivity([1, 2])
    with pytest.raises(ValueError, match="most"):
        plot_sensitivity(found(), most=0)
    with pytest.raises(ValueError, match="path"):
        plot_sensitivity(found(), tmp_path / "plot.txt")
