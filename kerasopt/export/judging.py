"""The accuracy of a file beside that of its model, on labelled samples."""

import sys
from typing import Any

import numpy as np

from kerasopt._checks import bad_value
from kerasopt.export.preparing import Prepared
from kerasopt.export.reading import read
from kerasopt.export.scoring import by_output, chance, compiled_scores, r2_by_column, scores
from kerasopt.export.signature import signature_of
from kerasopt.export.usefulness import Verdict, by_skill
from kerasopt.export.verify import file_outputs, keras_outputs


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
        self._samples = read("check", check, prepared.signature.inputs, most=sys.maxsize)
        self._labels, self._model = labels, prepared.model
        whole = signature_of(prepared.plain)
        self._right = keras_outputs(prepared.plain, whole, self._samples)
        self._keras = self._scores(self._right)
        self._compiled = compiled_scores(prepared.model, self._right, labels)
        self._last: tuple[bytes, dict[str, Any]] = (b"", {})

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
        if self._compiled:
            mine |= compiled_scores(self._model, outputs, self._labels)
        keras = {**self._compiled, **self._keras}
        return {name: {"keras": keras[name], "file": mine[name]} for name in mine if name in keras}

    def _outputs(self, file: bytes) -> dict[str, Any]:
        if self._last[0] != file:
            self._last = (file, file_outputs(file, self._signature, self._samples))
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
        return found

    def check_classes(self) -> None:
        """Make sure that the labels are of classes.

        Raises:
            ValueError: If they are not.
        """
        if not any(metric.endswith("accuracy") for metric in self._keras):
            raise bad_value(
                "labels",
                "labels of classes with exclude='auto', which goes by accuracy",
                type(self._labels).__name__,
            )

    def drop(self, file: bytes) -> float:
        """Give how much accuracy a file loses, of several outputs the most."""
        mine = self._scores(self._outputs(file))
        return max(
            self._keras[metric] - value
            for metric, value in mine.items()
            if metric.endswith("accuracy")
        )
