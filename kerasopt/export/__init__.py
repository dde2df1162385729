"""Export to TFLite: convert, calibrate, verify, measure."""

from typing import TYPE_CHECKING

from kerasopt._core.lazy import lazy_names

if TYPE_CHECKING:
    from kerasopt.export.accuracy_control.sensitivity import LayerError, Sensitivity, sensitivity
    from kerasopt.export.api import Comparison, export_all, to_tflite
    from kerasopt.export.codegen.c_array import to_c_array
    from kerasopt.export.codegen.snippets import snippet
    from kerasopt.export.errors import ExportError
    from kerasopt.export.file.tflite_model import TFLiteModel
    from kerasopt.export.report.inspection import Inspection, benchmark, inspect
    from kerasopt.export.report.report import Cost, Port, Report
    from kerasopt.export.runtime.keras_latency import keras_latency
    from kerasopt.export.runtime.latency import Latency
    from kerasopt.export.validation.agreement import Agreement

# The process that tries files imports this package, and not all of it.
_HOMES = {
    "Agreement": "validation.agreement",
    "Comparison": "api",
    "Cost": "report.report",
    "ExportError": "errors",
    "Inspection": "report.inspection",
    "Latency": "runtime.latency",
    "LayerError": "accuracy_control.sensitivity",
    "Port": "report.report",
    "Report": "report.report",
    "Sensitivity": "accuracy_control.sensitivity",
    "TFLiteModel": "file.tflite_model",
    "benchmark": "report.inspection",
    "export_all": "api",
    "inspect": "report.inspection",
    "keras_latency": "runtime.keras_latency",
    "sensitivity": "accuracy_control.sensitivity",
    "snippet": "codegen.snippets",
    "to_c_array": "codegen.c_array",
    "to_tflite": "api",
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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
