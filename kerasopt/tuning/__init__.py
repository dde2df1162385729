"""The KerasTuner bridge: searches that find more, survive faults and scale out."""

from typing import TYPE_CHECKING, Any

from kerasopt._core.lazy import lazy_names
from kerasopt.tuning.extra import missing

if TYPE_CHECKING:
    from kerasopt.tuning import space
    from kerasopt.tuning.api import search
    from kerasopt.tuning.compression import CompressedHyperModel
    from kerasopt.tuning.hypermodels import (
        HyperCNN,
        HyperMLP,
        HyperRNN,
        HyperSequenceCNN,
        suggest_hypermodel,
    )
    from kerasopt.tuning.keras_tuner_tuners import (
        BayesianOptimization,
        GridSearch,
        Hyperband,
        RandomSearch,
    )
    from kerasopt.tuning.oracle.oracle import OptunaOracle
    from kerasopt.tuning.reports.result import SearchResult
    from kerasopt.tuning.storage.records import Record
    from kerasopt.tuning.storage.storages import StorageError
    from kerasopt.tuning.tuner import Tuner

# Nothing of the extra is imported before it is used.
_HOMES = {
    "BayesianOptimization": "keras_tuner_tuners",
    "CompressedHyperModel": "compression",
    "GridSearch": "keras_tuner_tuners",
    "HyperCNN": "hypermodels",
    "HyperMLP": "hypermodels",
    "HyperRNN": "hypermodels",
    "HyperSequenceCNN": "hypermodels",
    "Hyperband": "keras_tuner_tuners",
    "OptunaOracle": "oracle.oracle",
    "RandomSearch": "keras_tuner_tuners",
    "Record": "storage.records",
    "SearchResult": "reports.result",
    "StorageError": "storage.storages",
    "Tuner": "tuner",
    "search": "api",
    "space": "",
    "suggest_hypermodel": "hypermodels",
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

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    try:
        return _get(name)
    except ImportError as error:
        raise missing(error) from error
