"""The command `kerasopt`."""

import click

from kerasopt import _quiet
from kerasopt._version import __version__


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
