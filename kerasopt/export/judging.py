"""The accuracy of a file beside that of its model, on labelled samples."""

import sys
from typing import Any

from kerasopt._checks import bad_value
from kerasopt.export.preparing import Prepared
from kerasopt.export.reading import read
from kerasopt.export.scoring import scores
from kerasopt.export.signature import signature_of
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
        self._labels = labels
        whole = signature_of(prepared.plain)
        self._keras = scores(keras_outputs(prepared.plain, whole, self._samples), labels)

    def beside(self, file: bytes) -> dict[str, dict[str, float]]:
        """Give by metric the model's value and the file's."""
        mine = scores(file_outputs(file, self._signature, self._samples), self._labels)
        return {name: {"keras": self._keras[name], "file": mine[name]} for name in mine}

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
        return max(
            both["keras"] - both["file"]
            for metric, both in self.beside(file).items()
            if metric.endswith("accuracy")
        )
