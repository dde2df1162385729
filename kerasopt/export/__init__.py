"""Export to TFLite: convert, calibrate, verify, measure."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasopt.export.agreement import Agreement
    from kerasopt.export.c_array import to_c_array
    from kerasopt.export.comparing import Comparison, export_all
    from kerasopt.export.errors import ExportError
    from kerasopt.export.exporting import to_tflite
    from kerasopt.export.inspection import Inspection, benchmark, inspect
    from kerasopt.export.keras_timing import keras_latency
    from kerasopt.export.latency import Latency
    from kerasopt.export.ranking import LayerError, Sensitivity, sensitivity
    from kerasopt.export.report import Cost, Port, Report
    from kerasopt.export.snippets import snippet
    from kerasopt.export.tflite_model import TFLiteModel

# The process that tries files imports this package, and not all of it.
_HOMES = {
    "Agreement": "agreement",
    "Comparison": "comparing",
    "Cost": "report",
    "ExportError": "errors",
    "Inspection": "inspection",
    "Latency": "latency",
    "Port": "report",
    "LayerError": "ranking",
    "Report": "report",
    "Sensitivity": "ranking",
    "TFLiteModel": "tflite_model",
    "benchmark": "inspection",
    "export_all": "comparing",
    "inspect": "inspection",
    "keras_latency": "keras_timing",
    "sensitivity": "ranking",
    "snippet": "snippets",
    "to_c_array": "c_array",
    "to_tflite": "exporting",
}

__all__ = [
    "Agreement",
    "Comparison",
    "Cost",
    "ExportError",
    "Inspection",
    "Latency",
    "LayerError",
    "Port",
    "Report",
    "Sensitivity",
    "TFLiteModel",
    "benchmark",
    "export_all",
    "inspect",
    "keras_latency",
    "sensitivity",
    "snippet",
    "to_c_array",
    "to_tflite",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"kerasopt.export.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasopt.export' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
