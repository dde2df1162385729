"""Plots and tables: what is drawn, and where it is written."""

import io

import pytest
from rich.console import Console

from kerasopt.reporting import plot_history, table

HISTORY = {
    "loss": [1.0, 0.5, 0.4],
    "accuracy": [0.3, 0.6, 0.8],
    "val_loss": [1.1, 0.6, 0.7],
    "val_accuracy": [0.3, 0.5, 0.6],
    "learning_rate": [0.1, 0.1, 0.1],
    "sparsity": [0.2, 0.6, 0.8],
}


class Stopper:
    best_epoch, stopped, stopped_epoch = 1, True, 2


def test_the_panels_and_the_point_of_the_stop():
    figure = plot_history(HISTORY, Stopper())
    assert [axis.get_title() for axis in figure.axes] == ["loss", "accuracy", "sparsity"]
    for axis in figure.axes:
        labels = axis.get_legend_handles_labels()[1]
        assert labels[-2:] == ["best, epoch 2", "stopped, epoch 3"]
    loss = figure.axes[0].lines
    assert [list(line.get_ydata()) for line in loss[:2]] == [HISTORY["loss"], HISTORY["val_loss"]]
    assert list(loss[2].get_xdata()) == [2, 2]
    assert list(figure.axes[2].lines[0].get_ydata()) == HISTORY["sparsity"]


def test_the_epochs_that_do_not_count_are_shaded():
    def shaded(history, stopper=None):
        patches = [axis.patches for axis in plot_history(history, stopper).axes]
        assert len({len(found) for found in patches}) == 1  # the same in each panel
        return [(one.get_x(), one.get_x() + one.get_width()) for one in patches[0]]

    class Later(Stopper):
        start_from_epoch = 1

    assert shaded(HISTORY) == shaded(HISTORY, Later()) == [(0.5, 2.5)]
    assert shaded({**HISTORY, "sparsity": [0.8] * 3}) == []
    assert shaded({**HISTORY, "sparsity": [0.8] * 3}, Later()) == [(0.5, 1.5)]
    assert shaded({"loss": [1.0] * 4, "channel_sparsity": [0.1, 0.3, 0.3, 0.3]}) == [(0.5, 1.5)]
    labels = plot_history(HISTORY).axes[0].get_legend_handles_labels()[1]
    assert "does not count yet" in labels


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_it_is_written_whole(tmp_path, suffix):
    path = tmp_path / f"run.{suffix}"
    plot_history({"loss": [1.0, 0.5]}, path=path, title="a run")
    assert path.stat().st_size > 5000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("history", [{}, {"loss": []}])
def test_an_empty_run(history):
    with pytest.raises(ValueError, match="`history`. Expected a run of at least one epoch"):
        plot_history(history)


def test_validation_every_third_epoch_is_drawn_where_it_was():
    history = {"loss": [0.5] * 7, "val_loss": [0.6, 0.7]}
    lines = plot_history(history).axes[0].lines
    assert list(lines[0].get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(lines[1].get_xdata()) == [3, 6]


def test_a_run_that_began_at_a_later_epoch():
    class Later:
        history, epoch = {"loss": [0.5, 0.4], "sparsity": [0.1, 0.2]}, [4, 5]

    figure = plot_history(Later())
    assert [list(axis.lines[0].get_xdata()) for axis in figure.axes] == [[5, 6], [5, 6]]


def test_keras_own_early_stopping():
    class Keras:
        best_epoch, stopped_epoch = 0, 0

    labels = plot_history(HISTORY, Keras()).axes[0].get_legend_handles_labels()[1]
    assert labels[-1] == "best, epoch 1"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"path": "nowhere/a.png"}, ValueError),
        ({"path": "a.xyz"}, ValueError),
        ({"path": 3}, TypeError),
        ({"stopper": "es"}, TypeError),
        ({"history": {"loss": 3}}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        plot_history(**{"history": HISTORY, **arguments})


def test_no_history():
    with pytest.raises(TypeError, match="`history`"):
        plot_history([1.0, 0.5])


def test_a_table_as_text():
    out = io.StringIO()
    Console(file=out, width=60).print(table("Files", ["", "bytes"], {"int8": ["9,216"]}))
    assert "int8" in out.getvalue()
    assert "9,216" in out.getvalue()
