"""The picture of how sparse a model is."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.pruning import prune
from kerasopt.reporting import plot_sparsity

HISTORY = {"loss": [1.0, 0.5], "sparsity": [0.2, 0.5]}


def model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, name="top"),
        ]
    )


def test_the_panels():
    sparse = model()
    table = prune(sparse, 0.5, exclude="top")
    figure = plot_sparsity(sparse, HISTORY)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["kernels", "over time", "conv/kernel: 27 x 8"]
    bars, over_time, picture = figure.axes
    assert [bar.get_width() for bar in bars.patches] == [0.5, 0.0]
    assert [label.get_text() for label in bars.get_yticklabels()] == [
        "conv/kernel  (weight)",
        "top/kernel  (dense)",
    ]
    assert list(over_time.lines[0].get_ydata()) == HISTORY["sparsity"]
    shown = np.asarray(picture.images[0].get_array())
    assert shown.shape == (27, 8)
    assert 1 - shown.mean() == pytest.approx(table.rows[0].sparsity)


def test_a_dense_model_has_no_picture_unless_it_is_named(tmp_path):
    assert len(plot_sparsity(model()).axes) == 1
    figure = plot_sparsity(model(), kernel="top", path=tmp_path / "plot.png", title="dense")
    assert [axis.get_title() for axis in figure.axes] == ["kernels", "top/kernel: 8 x 4"]
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_a_big_kernel_is_shown_in_part():
    big = keras.Sequential([keras.Input((600,)), layers.Dense(20, name="big")])
    prune(big, 0.5)
    (picture,) = plot_sparsity(big).axes[1:]
    assert picture.get_title() == "big/kernel: 600 x 20, the first 512 x 20"


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="`history`.*'loss'"):
        plot_sparsity(model(), {"loss": [1.0]})
    with pytest.raises(TypeError, match="`history`"):
        plot_sparsity(model(), 3)
    with pytest.raises(ValueError, match="`kernel`.*'conv/kernel'"):
        plot_sparsity(model(), kernel="cnv")
    with pytest.raises(ValueError, match="`path`"):
        plot_sparsity(model(), path=tmp_path / "plot.txt")
    with pytest.raises(TypeError, match="`path`"):
        plot_sparsity(model(), path=3)
