"""On what a benchmark was measured, where its data and results lie, and the options of all."""

import argparse
import datetime
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS, SHARED = ROOT / "benchmarks/results", ROOT.parent / "shared"


def measured_on(others: Mapping[str, str] | None = None) -> str:
    """Give date, cores and versions: the line that every result begins with.

    Args:
        others: Distributions whose versions are told too, by the name to show.
    """
    import keras  # the parent of some benchmarks imports neither
    import numpy as np
    import tensorflow as tf

    more = "".join(f", {name} {version(package)}" for name, package in (others or {}).items())
    return (
        f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"NumPy {np.__version__}{more}"
    )


def command() -> str:
    """Give the command that ran."""
    module = sys.modules["__main__"].__spec__.name.removesuffix(".__main__")
    return f"`python -m {' '.join([module, *sys.argv[1:]])}`"


class Options(argparse.ArgumentParser):
    """The command line of a benchmark, with the options that all of them have.

    Args:
        about: The docstring of the benchmark.
    """

    def __init__(self, about: str):
        super().__init__(description=about.splitlines()[0])
        self.add_argument("--data", type=Path, default=SHARED)
        self.add_argument("--quick", action="store_true", help="see that it works, on little")
        self.add_argument("--output", type=Path, default=None)

    def parse_args(self, *args: Any, **kwargs: Any) -> Any:
        """Read it; a quick run writes to a new folder unless it is told where to."""
        given = super().parse_args(*args, **kwargs)
        if given.output is None:
            given.output = Path(tempfile.mkdtemp()) if given.quick else RESULTS
        return given
