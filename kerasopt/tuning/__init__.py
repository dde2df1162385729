"""The KerasTuner bridge: searches that find more, survive faults and scale out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasopt.tuning.extra import missing

if TYPE_CHECKING:
    from kerasopt.tuning import space
    from kerasopt.tuning.architectures import (
        HyperCNN,
        HyperMLP,
        HyperRNN,
        HyperSequenceCNN,
        suggest_hypermodel,
    )
    from kerasopt.tuning.compressed import CompressedHyperModel
    from kerasopt.tuning.oracle import OptunaOracle
    from kerasopt.tuning.records import Record
    from kerasopt.tuning.result import SearchResult
    from kerasopt.tuning.searching import search
    from kerasopt.tuning.storages import StorageError
    from kerasopt.tuning.tuner import Tuner
    from kerasopt.tuning.tuners import BayesianOptimization, GridSearch, Hyperband, RandomSearch

# Nothing of the extra is imported before it is used.
_HOMES = {
    "BayesianOptimization": "tuners",
    "CompressedHyperModel": "compressed",
    "GridSearch": "tuners",
    "HyperCNN": "architectures",
    "HyperMLP": "architectures",
    "HyperRNN": "architectures",
    "HyperSequenceCNN": "architectures",
    "Hyperband": "tuners",
    "OptunaOracle": "oracle",
    "RandomSearch": "tuners",
    "Record": "records",
    "SearchResult": "result",
    "StorageError": "storages",
    "Tuner": "tuner",
    "search": "searching",
    "suggest_hypermodel": "architectures",
}

__all__ = [
    "BayesianOptimization",
    "CompressedHyperModel",
    "GridSearch",
    "HyperCNN",
    "HyperMLP",
    "HyperRNN",
    "HyperSequenceCNN",
    "Hyperband",
    "OptunaOracle",
    "RandomSearch",
    "Record",
    "SearchResult",
    "StorageError",
    "Tuner",
    "search",
    "space",
    "suggest_hypermodel",
]


def __getattr__(name: str) -> Any:
    try:
        if name == "space":
            return import_module("kerasopt.tuning.space")
        if name in _HOMES:
            return getattr(import_module(f"kerasopt.tuning.{_HOMES[name]}"), name)
    except ImportError as error:
        raise missing(error) from error
    raise AttributeError(f"module 'kerasopt.tuning' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
