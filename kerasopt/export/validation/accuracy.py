"""The accuracy of a file beside that of its model, on labelled samples."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.logs import direction as direction_of
from kerasopt._core.logs import metric_of
from kerasopt._keras import direction
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.signature import signature_of
from kerasopt.export.preparation import Prepared
from kerasopt.export.validation.task_metrics import (
    by_output,
    chance,
    compiled_scores,
    metric_name,
    r2_by_column,
    rarest,
    scores,
)
from kerasopt.export.validation.usefulness import (
    POSITIONS,
    SOUND,
    USELESS,
    Verdict,
    by_metric,
    by_skill,
)
from kerasopt.export.validation.validator import file_outputs, keras_outputs


class Judged:
    """Labelled samples, and how well the Keras model does on them.

    Args:
        prepared: The model.
        check: All samples, as arrays.
        labels: Their labels.

    Raises:
        ValueError: If the labels do not fit.
    """

    def __init__(self, prepared: Prepared, check: Any, labels: Any):
        self._signature = prepared.signature
        self._samples = read("validation_data", check, prepared.signature.inputs, most=sys.maxsize)
        self._labels, self._model = labels, prepared.model
        whole = signature_of(prepared.plain)
        self._right = keras_outputs(prepared.plain, whole, self._samples)
        self._keras = self._scores(self._right)
        self._compiled = compiled_scores(prepared.model, self._right, labels)
        self._constant: dict[str, float] = {}
        if self._compiled:
            same = {name: _constant(one) for name, one in self._right.items()}
            self._constant = compiled_scores(prepared.model, same, labels)
        self._last: tuple[bytes, dict[str, Any], dict[str, float]] = (b"", {}, {})

    def _scores(self, outputs: dict[str, Any]) -> dict[str, float]:
        found = scores(outputs, self._labels)
        for name, labels in by_output(outputs, self._labels).items():
            metric = "mean_absolute_error" if len(outputs) == 1 else f"{name}_mean_absolute_error"
            each = r2_by_column(labels, outputs[name])
            if metric in found and each is not None and not np.isnan(each).all():
                found[metric.replace("mean_absolute_error", "r2_score")] = float(np.nanmean(each))
        return found

    def beside(self, file: bytes) -> dict[str, dict[str, float]]:
        """Give by metric the model's value and the file's, also of those it was compiled with."""
        outputs = self._outputs(file)
        mine = self._scores(outputs)
        mine |= self._last[2]
        keras = {**self._compiled, **self._keras}
        return {name: {"keras": keras[name], "file": mine[name]} for name in mine if name in keras}

    def _outputs(self, file: bytes) -> dict[str, Any]:
        if self._last[0] != file:
            given, compiled = file_outputs(file, self._signature, self._samples), {}
            # In the model's order, which that of labels in a list is; a file has one of its own.
            outputs = {name: given[name] for name in self._right}
            if self._compiled:
                compiled = compiled_scores(self._model, outputs, self._labels)
            self._last = (file, outputs, compiled)
        return self._last[1]

    def verdicts(self, file: bytes, least: float | None = None) -> list[Verdict]:
        """Judge a file by what it keeps of the model's skill, that is, what no constant can do.

        Args:
            file: Its bytes.
            least: As `least_variance` of `to_tflite`. Defaults to `None`.
        """
        outputs = self._outputs(file)
        mine, found = scores(outputs, self._labels), []
        for name, labels in by_output(outputs, self._labels).items():
            begin = "" if len(outputs) == 1 else f"{name}_"
            metrics = [one for one in mine if one.startswith(begin) and one.endswith("accuracy")]
            if metrics:
                both = (self._keras[metrics[0]], mine[metrics[0]])
                beside = chance(labels, outputs[name])
                found.append(by_skill(name, "accuracy", *both, *beside, least=least))
                continue
            right, came = (r2_by_column(labels, one[name]) for one in (self._right, outputs))
            if right is None or came is None or np.isnan(right).all():
                continue
            lost = np.nan_to_num(right - came, nan=0.0)
            column = int(lost.argmax())
            what = "R2" if len(right) == 1 else f"R2 of entry {column}"
            both = (float(right[column]), float(came[column]))
            found.append(by_skill(name, what, *both, least=least))
        return [*found, *self._by_compiled(least)]

    def _by_compiled(self, least: float | None) -> list[Verdict]:
        """Judge the last file by what the model was compiled with, as far as it is known which way.

        Of a metric with a number a class by the mean, as rare classes have few samples.
        """
        found = []
        mine, outputs = _by_mean(self._last[2]), self._right
        keras, constant = _by_mean(self._compiled), _by_mean(self._constant)
        labels = by_output(outputs, self._labels)
        for metric in mine:
            way = direction(self._model, metric) or direction_of(metric)
            if way is None or metric not in keras or metric not in constant:
                continue
            # Of two names, one of which begins with the other, the longer one.
            named = [one for one in outputs if metric.startswith(f"{one}_")]
            its = [max(named, key=len)] if named else list(outputs)
            counts = [rarest(labels[one], outputs[one]) for one in its]
            more, classes = way == "max", all(counts)
            few = max(len(outputs[one]) for one in its) < POSITIONS
            found.append(
                by_metric(
                    metric,
                    keras[metric],
                    mine[metric],
                    constant[metric],
                    more,
                    count=min(counts) if more else 0,
                    # A logarithm of one probability may weigh as much as all others.
                    refuses=not few and (more or not classes),
                    least=least,
                )
            )
        return [one for one in found if one.level != SOUND]

    @property
    def accurate(self) -> tuple[str, ...]:
        """Names of the outputs of classes whose labels are known."""
        return tuple(
            name
            for name, labels in by_output(self._right, self._labels).items()
            if metric_name(labels, self._right[name]).endswith("accuracy")
        )

    def is_enough(self, file: bytes, most: float) -> bool:
        """Tell whether a file is as right as the model.

        Args:
            file: Its bytes.
            most: How much accuracy any output of classes may lose. Of labels that are numbers the
                R2 has to be sound.
        """
        mine = self._scores(self._outputs(file))
        drops = [self._keras[one] - mine[one] for one in mine if one.endswith("accuracy")]
        numbers = self._right.keys() - set(self.accurate)
        found = self.verdicts(file)
        others = [one for one in found if one.output in numbers]
        # A compiled metric has no output of its own; what it refuses here it would refuse at last.
        refused = any(one.level == USELESS for one in found if not one.output)
        sound = not refused and all(one.level == SOUND for one in others)
        return sound and max(drops, default=0.0) <= most


def _constant(output: NDArray[Any]) -> NDArray[Any]:
    """Give an output that knows nothing of its samples: the mean of each entry."""
    entries = output.reshape(-1, output.shape[-1] if output.ndim > 1 else 1)
    mean = entries.mean(0).astype(output.dtype)
    return np.broadcast_to(mean if output.ndim > 1 else mean[0], output.shape).copy()


def _by_mean(found: Mapping[str, float]) -> dict[str, float]:
    """Give metrics by name, of those with a number a class the mean."""
    several: dict[str, list[float]] = {}
    for name, value in found.items():
        several.setdefault(metric_of(name), []).append(value)
    return {name: float(np.mean(values)) for name, values in several.items()}
