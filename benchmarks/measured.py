"""On what a benchmark was measured: the line that every result begins with."""

import datetime
import os
import platform
import sys

import keras
import numpy as np
import tensorflow as tf


def measured_on() -> str:
    """Give date, cores and versions."""
    return (
        f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"NumPy {np.__version__}"
    )


def command(name: str) -> str:
    """Give the command that ran, of `benchmarks/<name>`."""
    return f"`python {' '.join([f'benchmarks/{name}', *sys.argv[1:]])}`"
