"""Make Keras 3 models smaller, faster and better regularized inside the `model.fit` you have.

The door imports nothing heavy: a room, and with it Keras and TensorFlow, is loaded when its name is
first used.

Example:
>>> import kerasopt
>>> kerasopt.schedules.PolynomialDecay(initial=0.0, final=0.8, begin=0, end=100)(100)
0.8
"""

from importlib import import_module
from typing import Any

from kerasopt._version import __version__

_ROOMS = (
    "backup",
    "callbacks",
    "export",
    "graph",
    "layers",
    "migrate",
    "pruning",
    "regularization",
    "reporting",
    "schedules",
    "selection",
    "stopping",
    "tuning",
)

__all__ = ["__version__", "load_model", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"kerasopt.{name}")
    if name == "load_model":
        return import_module("kerasopt.models").load_model
    raise AttributeError(f"module 'kerasopt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
