"""The metrics of a trial: of training, of the model at its end, of the very file."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from kerasopt._core.checks import bad_type
from kerasopt._core.logs import scalars
from kerasopt.export import Report
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.signature import signature_of
from kerasopt.export.validation.task_metrics import scores
from kerasopt.export.validation.validator import keras_outputs
from kerasopt.tuning.compression.validation_data import Given
from kerasopt.tuning.training.reported_metrics import at_epoch

_ACCURACIES = ("sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")


def of_training(result: Any, callbacks: Sequence[Any]) -> dict[str, float]:
    """Give what training said of the weights that it left.

    Args:
        result: What `fit` gave: a `History` or a dict of metrics.
        callbacks: Those of the run; one that went back to an earlier epoch says which.

    Returns:
        Metric -> its value in the last epoch, or in the one whose weights were restored.

    Raises:
        TypeError: If it gave something else.
    """
    if isinstance(result, Mapping):
        return scalars(result)
    if not isinstance(result, keras.callbacks.History):
        expected = "a hypermodel whose `fit` gives a History or a dict of metrics"
        raise bad_type("build", expected, result)
    index = len(result.epoch) - 1
    for one in callbacks:
        best = getattr(one, "best_epoch", None)
        found = getattr(one, "best", None) is not None
        if found and getattr(one, "restore_best_weights", False) and best in result.epoch:
            index = result.epoch.index(best)
    return at_epoch(result.history, index)


def refuse_non_finite(metrics: Mapping[str, float]) -> None:
    """Fail a trial that has diverged, before a file is made of it.

    Raises:
        keras_tuner.errors.FailedTrialError: If its loss is NaN or infinite.
    """
    name = "val_loss" if "val_loss" in metrics else "loss"
    value = metrics.get(name, 0.0)
    if not math.isfinite(value):
        # KerasTuner tries other errors again, where it is told to; this one would come again.
        raise keras_tuner.errors.FailedTrialError(f"The training diverged: {name} is {value}.")


def has_classes(model: Any, given: Given) -> bool:
    """Tell whether a file's accuracy can be told on the validation data."""
    if not given.judged:
        return False
    x, y = given.few()
    whole = signature_of(model)
    try:
        found = scores(keras_outputs(model, whole, read("validation_data", x, whole.inputs)), y)
    except Exception:  # what labels of whatever form make the metric say
        return False
    return any(name.endswith("accuracy") for name in found)


def of_file(report: Report) -> dict[str, float]:
    """Give what was measured on an exported file.

    Returns:
        `tflite_bytes`, `tflite_zipped_bytes`, `tflite_latency_ms` (median, one thread),
        `tflite_slower` (1 if it is slower than a float32 file beyond the spread of the times, 0 if
        not; absent of a float32 file), `tflite_peak_memory` (bytes), `sparsity` (share of zeros
        among its weights), and `tflite_accuracy` if it was told (with several outputs
        `tflite_<output>_accuracy`).
    """
    cost = report.cost
    found = {
        "tflite_bytes": float(cost.file_bytes),
        "tflite_zipped_bytes": float(cost.zipped_bytes),
        "tflite_latency_ms": float(cost.latency.median_ms),
        "tflite_peak_memory": float(cost.peak_memory),
        "sparsity": float(cost.sparsity),
    }
    if report.pace is not None:
        found["tflite_slower"] = float(report.pace.slower)
    for name, both in report.accuracy.items():
        found[f"tflite_{_short(name)}"] = float(both["file"])
    return found


def _short(metric: str) -> str:
    for kind in _ACCURACIES:
        if metric.endswith(kind):
            return metric.removesuffix(kind) + "accuracy"
    return metric
