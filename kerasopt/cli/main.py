"""The command `kerasopt`."""

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from kerasopt._core import quiet
from kerasopt._version import __version__
from kerasopt.cli.group import Default, DefaultGroup
from kerasopt.export.options import EXCLUDING, MODES


@click.group()
@click.version_option(__version__, prog_name="kerasopt")
def main() -> None:
    """Make Keras 3 models smaller, faster and better regularized."""
    quiet.quiet_tensorflow()


@main.result_callback()
def _done(_: Any) -> None:
    """Write what is still to be printed, while click minds a reader that has gone."""
    sys.stdout.flush()


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
    _room("demo", "run")(dataset=dataset, output=output, epochs=epochs, seed=seed)


_SNIPPET = click.option(
    "--snippet",
    type=click.Choice(["android", "ios"]),
    help="Print the code of an app that runs the file, in Kotlin or Swift; `inspect`: that alone.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


def _room(
    module: str,
    name: str,
    missing: Callable[[ImportError], Exception] | None = None,
    tensorflow: bool = True,
) -> Callable[..., None]:
    """Give what a command does; what TensorFlow says when it is imported is held back."""

    def room(**options: Any) -> None:
        try:
            with quiet.held_back():
                if tensorflow:
                    import_module("tensorflow")
                found = import_module(f"kerasopt.cli.{module}")
        except ImportError as error:
            if missing is None:
                raise
            raise missing(error) from error
        getattr(found, name)(**options)

    return room


def _tuner(error: ImportError) -> Exception:
    from kerasopt.tuning.extra import missing

    return missing(error)


def _run(room: Callable[..., None], **arguments: Any) -> None:
    """Do it; a mistake of the user ends with 2, a check that failed with 1, neither with a trace.

    Warnings are lines on the standard error, each of them once and when it is raised: a search
    may take days.
    """
    with quiet.held_back():
        from kerasopt.export import ExportError

    told: set[str] = set()

    def tell(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, UserWarning) and str(message) not in told:
            told.add(str(message))
            click.echo(f"Warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = tell
        try:
            room(**arguments)
        except ExportError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:  # of `| head`; click ends in silence
            raise
        except (ImportError, OSError, TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from error


@main.command()
@click.argument("model", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="The .tflite file. Default: beside MODEL, with its name and the mode's.",
)
@click.option("--mode", type=click.Choice(list(MODES)), default="float32", show_default=True)
@click.option(
    "--calibration",
    type=click.Path(),
    help=".npy, .npz, .csv or a folder of images: what the model will see, for int8 modes.",
)
@click.option("--io", type=click.Choice(["float32", "int8", "uint8"]), default="float32")
@click.option("--batch-size", type=click.IntRange(min=1), help="Fixes the batch axis.")
@click.option(
    "--validation-data", type=click.Path(), help="Data to compare the file with the model on."
)
@click.option(
    "--labels",
    type=click.Path(),
    help="Labels of --validation-data, or else of --calibration; .npy or .csv.",
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
@click.option(
    "--least-variance",
    type=float,
    help="Share of its variance that each entry of an output has to keep, 0.5 if it is not given.",
)
@click.option("--c-array", type=click.Path(), help="Writes it as C source too, for TFLite Micro.")
@_SNIPPET
@_JSON
def export(**options: Any) -> None:
    """Convert MODEL (.keras, .h5 or a SavedModel) to TFLite, verified before it is written."""
    _run(_room("export", "export"), **options)


@main.command()
@click.argument("model", type=click.Path())
@click.option("--calibration", type=click.Path(), help="As in `export`.")
@click.option(
    "--validation-data", type=click.Path(), help="Data to compare the files with the model on."
)
@click.option("--mode", type=click.Choice(EXCLUDING), default="int8", show_default=True)
@click.option("--batch-size", type=click.IntRange(min=1), help="Fixes the batch axis.")
@click.option("--plot", type=click.Path(), help="Draws it, .png, .svg or .pdf.")
@_JSON
def sensitivity(**options: Any) -> None:
    """Rank the layers of MODEL by the error that each contributes when it alone is quantized."""
    _run(_room("sensitivity", "rank"), **options)


@main.command()
@click.argument("file", type=click.Path())
@_SNIPPET
@_JSON
def inspect(**options: Any) -> None:
    """Tell what is in FILE: a .tflite file, or a model of Keras."""
    _run(_room("inspect", "look", tensorflow=False), **options)


@main.command()
@click.argument("files", type=click.Path(), nargs=-1, required=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True
)
@_JSON
def benchmark(**options: Any) -> None:
    """Time .tflite FILES, side by side."""
    _run(_room("inspect", "times", tensorflow=False), **options)


@main.command()
@click.argument("model", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="The smaller model, .keras. Default: beside MODEL, as NAME-small.keras.",
)
@click.option(
    "--pruning-ratio",
    multiple=True,
    metavar="FRACTION|masked|LAYER=FRACTION",
    help="How much of the channels goes, such as 0.5; of layers, several times.",
)
@click.option(
    "--budget",
    multiple=True,
    metavar="WHAT=AMOUNT",
    help="In its place, what stays at most: macs=0.5, params=0.5 (fractions) or bytes=20000.",
)
@click.option("--plan", is_flag=True, help="Shows what would go, and writes nothing.")
@click.option(
    "--importance",
    default="l2",
    show_default=True,
    help="Of channels: l1, l2, group, bn_scale, taylor, activation, apoz, "
    "geometric_median or random.",
)
@click.option("--scope", type=click.Choice(["global", "layer"]), default="global")
@click.option("--round-to", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--include", multiple=True, metavar="LAYER", help="May lose channels.")
@click.option("--exclude", multiple=True, metavar="LAYER", help="May not.")
@click.option("--data", type=click.Path(), help=".npy, .npz, .csv or images, as in `export`.")
@click.option("--labels", type=click.Path(), help="Labels of --data, for taylor; .npy or .csv.")
@click.option(
    "--reconstruct", is_flag=True, help="Kernels make up for what goes, by least squares on --data."
)
@_JSON
def shrink(**options: Any) -> None:
    """Remove units, filters and heads from MODEL (.keras or .h5): a smaller Keras model."""
    _run(_room("shrink", "shrink"), **options)


@main.command()
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--data", type=click.Path(), required=True, help=".npy, .npz, .csv or images.")
@click.option("--least", type=float, default=8.0, show_default=True, help="Lowest dB that passes.")
@click.option(
    "--latency/--no-latency",
    default=True,
    show_default=True,
    help="Times both in turn, on one sample with one thread.",
)
@_JSON
def compare(**options: Any) -> None:
    """Compare the outputs of FILE (.tflite) with those of MODEL (.keras, .h5 or a SavedModel)."""
    _run(_room("export", "beside"), **options)


_STORAGE = click.option(
    "--storage",
    metavar="URL|FILE",
    help="Of a database, such as postgresql://user:password@host/name, or a journal file, which "
    "may lie on NFS. Default: DIR/NAME/journal.log.",
)
_STUDY = click.option(
    "--study-name", metavar="NAME", help="Default: search; to join or to look, the only one there."
)
_DIRECTORY = click.option(
    "--directory", metavar="DIR", type=click.Path(), help="Folder of the searches. Default: here."
)
_ABOVE_ZERO = click.IntRange(min=1)


@main.group(cls=DefaultGroup, default="search")
def tune() -> None:
    """Search for the best hyperparameters of a model; `tune status` shows how a search stands."""


@tune.command("search", cls=Default)
@click.argument("hypermodel", metavar="MODULE:BUILD")
@click.option(
    "--data",
    metavar="MODULE:FUNCTION|FILE.npz",
    help="What gives (x, y), ((x, y), (x_val, y_val)) or a dict of arguments of fit; or a file "
    "with x, y and perhaps x_val, y_val. Default: the function `data` of MODULE.",
)
@click.option(
    "--objective",
    multiple=True,
    metavar="METRIC[:min|max]",
    help="Several give a Pareto front. Default: the hypermodel's own, or val_loss.",
)
@click.option("--max-trials", type=_ABOVE_ZERO, help="Of all processes together. Default: 30.")
@click.option("--sampler", help="tpe, random, grid, gp, nsga2, cmaes or qmc. Default: tpe.")
@click.option(
    "--pruner", help="median, asha or hyperband stop bad trials while they train. Default: none."
)
@click.option(
    "--constraint",
    multiple=True,
    metavar="METRIC=[LEAST..]LARGEST",
    help="What the best must keep, such as tflite_bytes=50000 or val_accuracy=0.9..",
)
@click.option("--seed", type=click.IntRange(min=0))
@click.option("--epochs", type=_ABOVE_ZERO, help="Of each trial. Default: 10.")
@click.option("--batch-size", type=_ABOVE_ZERO)
@click.option("--executions", type=_ABOVE_ZERO, help="Of each trial; their mean counts.")
@click.option("--folds", type=click.IntRange(min=2), help="Of a cross-validation.")
@_STORAGE
@_STUDY
@_DIRECTORY
@click.option("--overwrite", is_flag=True, help="Deletes a search of that name first.")
@click.option("--workers", type=_ABOVE_ZERO, default=1, show_default=True, help="Processes here.")
@click.option(
    "--trials-per-process",
    type=_ABOVE_ZERO,
    help="After so many, a process gives way to a new one.",
)
@click.option("--worker", is_flag=True, help="Joins a search that was begun elsewhere.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds that --worker waits for it to be begun.",
)
@click.option("-o", "--output", type=click.Path(), help="Folder for a report.")
@_JSON
def search(**options: Any) -> None:
    """Search for the best hyperparameters of what BUILD builds, or go on with a search.

    MODULE is a dotted name or the path of a .py file; BUILD is a function build(hp) that returns a
    compiled model, a HyperModel, or a function without arguments that gives one.

    What a search was begun with stays with it: what is left out later is taken from it, by this
    command and by every --worker that joins from another process or machine with the same
    --storage. `kerasopt tune status` and optuna-dashboard look at the same storage.
    """
    try:
        _run(_room("tune", "search", missing=_tuner, tensorflow=False), **options)
    except KeyboardInterrupt:
        again = " without --overwrite" if options["overwrite"] else ""
        click.echo(f"\nBroken off. The same command{again} goes on with the search.", err=True)
        raise click.exceptions.Exit(130) from None


@tune.command()
@_STORAGE
@_STUDY
@_DIRECTORY
@_JSON
def status(**options: Any) -> None:
    """Tell how a search stands: its trials, the best, what runs now and what has failed."""
    _run(_room("tune_status", "status", missing=_tuner, tensorflow=False), **options)
