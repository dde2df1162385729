"""Export to TFLite: convert, calibrate, verify, measure."""

from kerasopt.export.agreement import Agreement
from kerasopt.export.errors import ExportError
from kerasopt.export.keras_latency import keras_latency
from kerasopt.export.latency import Latency
from kerasopt.export.report import Cost, Port, Report
from kerasopt.export.tflite_model import TFLiteModel
from kerasopt.export.to_tflite import to_tflite

__all__ = [
    "Agreement",
    "Cost",
    "ExportError",
    "Latency",
    "Port",
    "Report",
    "TFLiteModel",
    "keras_latency",
    "to_tflite",
]
