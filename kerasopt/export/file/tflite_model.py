"""An exported model: its bytes, its report, and ways to save, run and time it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core.checks import at_least, bad_type, bad_value, is_real
from kerasopt._core.display import Part, Shown
from kerasopt._core.files import write_bytes
from kerasopt.export.data.calibration_data import by_name, coerce
from kerasopt.export.data.samples import Batch, Samples, length
from kerasopt.export.model.signature import Signature
from kerasopt.export.report.report import Report
from kerasopt.export.runtime.interpreter import Runner, time_file
from kerasopt.export.runtime.latency import Latency
from kerasopt.export.validation.task_metrics import scores


class TFLiteModel(Shown):
    """A TFLite file in memory that was run and compared with its Keras model.

    `to_tflite` makes it.

    Args:
        content: Bytes of the file.
        report: What was measured on it.
        signature: The Keras model's signature.
        sample: By input name, one sample with its batch axis, for timing.
    """

    def __init__(self, content: bytes, report: Report, signature: Signature, sample: Batch):
        self._bytes = content
        self._report = report
        self._signature = signature
        self._sample = sample
        self._runner: Runner | None = None

    @property
    def bytes(self) -> bytes:
        """The file."""
        return self._bytes

    @property
    def report(self) -> Report:
        """What was measured on the file."""
        return self._report

    def with_report(self, report: Report) -> "TFLiteModel":
        """Give the same file with another report."""
        return TFLiteModel(self._bytes, report, self._signature, self._sample)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Args:
            path: A path that ends in `.tflite`, in a folder that exists.

        Raises:
            ValueError: If `path` is not such a path.
        """
        write_bytes(check_path(path), self._bytes)

    def predict(self, x: Any, batch_size: int = 32) -> Any:
        """Run the file on data, as `keras.Model.predict` runs a model.

        Args:
            x: An array; for several inputs a list in the order of `model.inputs` or a dict by
                name; the batch axis first. Real numbers, also where the file takes int8.
            batch_size: Samples in one run; a file with a fixed batch keeps its own. Defaults to
                `32`.

        Returns:
            The output as an array, real numbers; for several outputs a dict by output name.

        Raises:
            TypeError, ValueError: If `x` does not fit the inputs.
        """
        at_least("batch_size", batch_size, 1)
        inputs = self._signature.inputs
        found = by_name("x", x, inputs)
        data = {one.name: coerce("x", found[one.name], one, finite=False) for one in inputs}
        if len({len(array) for array in data.values()}) != 1 or not length(data):
            sizes = {name: len(array) for name, array in data.items()}
            raise bad_value("x", "as many samples for every input, and at least one", sizes)
        self._runner = self._runner or Runner(self._bytes)
        fixed = self._signature.batch
        parts = [
            self._runner(batch)
            for batch in Samples("x", (data,)).in_batches(fixed or batch_size, fixed is not None)
        ]
        names = [port.name for port in self._report.outputs]
        joined = {n: np.concatenate([part[n] for part in parts])[: length(data)] for n in names}
        return joined if len(joined) > 1 else joined[names[0]]

    def evaluate(
        self, x: Any, y: Any, metrics: Sequence[Any] = ("accuracy",), batch_size: int = 32
    ) -> dict[str, float]:
        """Judge the file by labels, as `keras.Model.evaluate` judges a model.

        Args:
            x: As in `predict`.
            y: Labels; for several outputs a dict by output name, or a list in their order.
            metrics: Keras's metrics: names, functions or `keras.metrics.Metric`s; `"accuracy"` is
                the one that the labels ask for. Defaults to `("accuracy",)`.
            batch_size: Samples in one run. Defaults to `32`.

        Returns:
            Dict of metric name -> value.

        Raises:
            TypeError, ValueError: If an argument does not fit.
        """
        names = [port.name for port in self._report.outputs]
        found = self.predict(x, batch_size)
        outputs = found if isinstance(found, dict) else {names[0]: found}
        return scores(outputs, y, metrics, argument="y")

    def benchmark(self, threads: int = 1, seconds: float = 1.0, runs: int = 1000) -> Latency:
        """Time runs of one sample (or of the file's fixed batch), without copying data in and out.

        Args:
            threads: Number of threads. Defaults to `1`.
            seconds: Longest time for the timed runs. Defaults to `1.0`.
            runs: Most timed runs. Defaults to `1000`.

        Returns:
            A `Latency`: median and 95th percentile in milliseconds.

        Raises:
            TypeError, ValueError: If an argument is no positive number.
        """
        at_least("threads", threads, 1)
        at_least("runs", runs, 1)
        if not is_real(seconds):
            raise bad_type("seconds", "a float > 0", seconds)
        if seconds <= 0:
            raise bad_value("seconds", "a float > 0", seconds)
        return time_file(self._bytes, self._sample, threads, seconds, runs)

    def parts(self) -> Sequence[Part]:
        """Give those of the report."""
        return self._report.parts()

    def __repr__(self) -> str:
        size = len(self._bytes) / 1024
        return f"<TFLiteModel {self._report.mode}, {size:.1f} KiB, {self._report.sqnr_db:.0f} dB>"


def check_path(path: Any) -> Path:
    """Check that a TFLite file can be written to `path`.

    Raises:
        TypeError: If it is no path.
        ValueError: If it does not end in `.tflite`, or its folder is missing or read-only.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise bad_type("path", "a path that ends in `.tflite`", path)
    target = Path(path)
    if target.suffix != ".tflite":
        raise bad_value("path", "a path that ends in `.tflite`", str(target))
    if target.is_dir():
        raise bad_value("path", "a path of a file", str(target), "It is a folder.")
    if not target.parent.is_dir():
        raise bad_value("path", "a path in a folder that exists", str(target))
    if not os.access(target.parent, os.W_OK):
        raise bad_value("path", "a path in a folder that can be written to", str(target))
    return target
