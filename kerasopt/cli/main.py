"""The command `kerasopt`."""

import warnings
from collections.abc import Callable
from typing import Any

import click

from kerasopt import _quiet
from kerasopt._version import __version__
from kerasopt.export.modes import EXCLUDING, MODES


@click.group()
@click.version_option(__version__, prog_name="kerasopt")
def main() -> None:
    """Make Keras 3 models smaller, faster and better regularized."""
    _quiet.quiet_tensorflow()


@main.command()
@click.option(
    "--dataset",
    type=click.Choice(["digits", "fashion_mnist"]),
    default="digits",
    show_default=True,
    help="digits ship with scikit-learn; fashion_mnist comes through keras.datasets.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="kerasopt-demo",
    show_default=True,
    help="Folder for the models, the report and the plot.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="At most so many epochs.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def demo(dataset: str, output: str, epochs: int | None, seed: int) -> None:
    """Train, prune, quantize and verify a small CNN on real data."""
    from kerasopt.cli import demo as room

    room.run(dataset, output, epochs, seed)


_SNIPPET = click.option(
    "--snippet",
    type=click.Choice(["android", "ios"]),
    help="Prints the code of an app that runs the file, in Kotlin or Swift.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


def _run(room: Callable[..., None], **arguments: Any) -> None:
    """Do it; a mistake of the user ends with 2, a check that failed with 1, neither with a trace.

    Warnings are lines on the standard error.
    """
    from kerasopt.export import ExportError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            room(**arguments)
        except ExportError as error:
            raise click.ClickException(str(error)) from error
        except (ImportError, OSError, TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from error
        finally:
            for one in caught:
                if issubclass(one.category, UserWarning):
                    click.echo(f"Warning: {one.message}", err=True)


@main.command()
@click.argument("model", type=click.Path())
@click.option("-o", "--output", type=click.Path(), required=True, help="The .tflite file.")
@click.option("--mode", type=click.Choice(list(MODES)), default="float32", show_default=True)
@click.option(
    "--calibration",
    type=click.Path(),
    help=".npy, .npz, .csv or a folder of images: what the model will see, for int8 modes.",
)
@click.option("--io", type=click.Choice(["float32", "int8", "uint8"]), default="float32")
@click.option("--batch-size", type=click.IntRange(min=1), help="Fixes the batch axis.")
@click.option("--check", type=click.Path(), help="Data to compare the file with the model on.")
@click.option(
    "--labels",
    type=click.Path(),
    help="Labels of --check, or else of --calibration; .npy or .csv.",
)
@click.option("--metadata", type=click.Path(), help=".json: what the file says about itself.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="LAYER",
    help="Stays in float; may be given several times. `auto`: as few as the accuracy needs.",
)
@click.option("--max-accuracy-drop", type=click.FloatRange(0, 1), default=0.005, show_default=True)
@click.option("--sparse", is_flag=True, help="Leaves the zeros of a pruned model out.")
@click.option("--c-array", type=click.Path(), help="Writes it as C source too, for TFLite Micro.")
@_SNIPPET
@_JSON
def export(**options: Any) -> None:
    """Convert MODEL (.keras, .h5 or a SavedModel) to TFLite, verified before it is written."""
    from kerasopt.cli import export as room

    _run(room.export, **options)


@main.command()
@click.argument("model", type=click.Path())
@click.option("--calibration", type=click.Path(), help="As in `export`.")
@click.option("--check", type=click.Path(), help="Data to compare the files with the model on.")
@click.option("--mode", type=click.Choice(EXCLUDING), default="int8", show_default=True)
@click.option("--batch-size", type=click.IntRange(min=1), help="Fixes the batch axis.")
@click.option("--plot", type=click.Path(), help="Draws it, .png, .svg or .pdf.")
@_JSON
def sensitivity(**options: Any) -> None:
    """Rank the layers of MODEL by the error that each contributes when it alone is quantized."""
    from kerasopt.cli import sensitivity as room

    _run(room.rank, **options)


@main.command()
@click.argument("file", type=click.Path())
@_SNIPPET
@_JSON
def inspect(**options: Any) -> None:
    """Tell what is in FILE: a .tflite file, or a model of Keras."""
    from kerasopt.cli import export as room

    _run(room.look, **options)


@main.command()
@click.argument("files", type=click.Path(), nargs=-1, required=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True
)
@_JSON
def benchmark(**options: Any) -> None:
    """Time .tflite FILES, side by side."""
    from kerasopt.cli import export as room

    _run(room.times, **options)


@main.command()
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--data", type=click.Path(), required=True, help=".npy, .npz, .csv or images.")
@click.option("--least", type=float, default=8.0, show_default=True, help="Lowest dB that passes.")
@_JSON
def compare(**options: Any) -> None:
    """Compare the outputs of FILE (.tflite) with those of MODEL (.keras, .h5 or a SavedModel)."""
    from kerasopt.cli import export as room

    _run(room.beside, **options)
