"""From a Keras model to TFLite files that were run and compared before they were written."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasopt._core.checks import at_least, bad_value, number, one_of, warn_each
from kerasopt._core.display import Shown, columns
from kerasopt._core.files import write_bytes
from kerasopt._keras import require_tensorflow
from kerasopt.export.accuracy_control.exclusion import check_exclude
from kerasopt.export.data.calibration_data import with_labels
from kerasopt.export.errors import ExportError
from kerasopt.export.file.metadata import check_labels, check_metadata
from kerasopt.export.file.tflite_model import TFLiteModel, check_path
from kerasopt.export.model.saved_model import NO_LAYERS, SavedModel, load
from kerasopt.export.options import MODES, Wish, require_quantizer
from kerasopt.export.pipeline import make, timed_in_turn
from kerasopt.export.preparation import prepare
from kerasopt.export.report.report import Report
from kerasopt.export.runtime.latency import Latency
from kerasopt.export.validation.accuracy import Judged


def to_tflite(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    mode: str = "float32",
    *,
    calibration: Any = None,
    validation_data: Any = None,
    io: str = "float32",
    batch_size: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    exclude: Any = None,
    max_accuracy_drop: float = 0.005,
    sparse: bool = False,
    least_db: float | Mapping[str, float] | None = None,
    least_variance: float | None = None,
) -> TFLiteModel:
    """Convert a Keras model to TFLite, and make sure that the file does what the model does.

    The file is loaded and run with LiteRT and its outputs are compared with the model's before
    anything is written; its size and latency are measured. The model is left as it is. Inputs and
    outputs keep the model's own names. A model in mixed precision is exported as a float32 copy.

    Args:
        model: A built Keras model: Sequential, functional or a class of its own; or the path of a
            `.keras` or `.h5` file (also of Keras 2), which is loaded in safe mode, or of a folder
            with a SavedModel, of which `serving_default` or the only signature is exported.
        path: Where to write the file, ending in `.tflite`. Defaults to `None`: not written.
        mode: `"float32"`; `"float16"`, half the size; `"dynamic"`, int8 weights; `"int8"`, int8
            weights and activations; `"int16x8"`, int8 weights and int16 activations, closer but
            slow. With the extra `int4` also `"dynamic_no_depthwise"`, dynamic but for depthwise
            convolutions, which are slow so; `"weight_only"`, int8 weights and all arithmetic in
            float; `"int4"`, the same with weights of four bits. Defaults to `"float32"`.
        calibration: What the model will see, for `"int8"` and `"int16x8"` at least 100 samples: an
            array, a list (in the order of `model.inputs`), a dict by input name, or batches of
            these as a `tf.data.Dataset`, a `keras.utils.PyDataset`, an iterable or a function that
            gives one.
            Labels are dropped. At most 256 samples are used: of arrays evenly spread, of batches
            the first. In other modes it is only used to check the file. Defaults to `None`.
        validation_data: Data to compare the file with the model on: x, in the same forms, or a
            tuple `(x, y)` of arrays and their labels, to tell the file's accuracy and the model's,
            or of numbers the mean absolute error and R2, and to judge the file by these; the report
            also has the metrics that the model was compiled with. For several outputs y is a dict
            by output name, or a list in their order. Only such a tuple has labels: of a
            `tf.data.Dataset` or other batches of `(x, y)` y is dropped. Defaults to `None`: up to
            100 samples of `calibration`, or else random numbers in [0, 1).
        io: Type of the inputs and outputs of an int8 file: `"float32"`, `"int8"` or `"uint8"`.
            Defaults to `"float32"`.
        batch_size: Fixes the batch axis of the file. Defaults to `None`: as in the model, usually
            any; where recurrent layers loop, because they cannot be unrolled, 1.
        metadata: What the file says about itself, a dict of string -> JSON data, such as
            `{"version": "1.2", "labels": ["cat", "dog"]}`; `inspect` gives it back. `"labels"` name
            the numbers of the output. Defaults to `None`.
        exclude: Layers that stay in float, in mode `"int8"` and those of the extra `int4`: names or
            paths (shell wildcards allowed), regular expressions, classes, layers, functions, or a
            list of these; an operation of several fused layers stays in float with any of them. Or
            `"auto"`: those with the fewest weights that keep the accuracy, or a few more if the
            file is clearly faster then and at most 5 % larger. Outputs without classes are judged
            by the variance that they keep. Defaults to `None`.
        max_accuracy_drop: With `exclude="auto"`, how much accuracy on `validation_data` may
            be lost, as a fraction; without labels, for how many samples the largest output may be
            another. Defaults to `0.005`.
        sparse: Whether the zeros of a pruned model are left out of the file, if that file does what
            the model does. Defaults to `False`.
        least_db: Lowest signal-to-noise ratio, in dB, at which a file is believed, or a dict of
            them by mode, in which others keep the default. Defaults to `None`: 80 for float32, 25
            for float16, 6 for int4, 8 for the others, which tell a wrong file from a coarse one.
            One below these also turns the refusal by `least_variance` into a warning.
        least_variance: Lowest share of its variance, about the mean, that each entry of an output's
            last axis has to keep; of more than 16 entries three quarters of them. 0 takes all that
            is better than a constant, also by labels, `-float("inf")` everything. Defaults to
            `None`: 0.5. Below 0.9 is a warning.

    Returns:
        A `TFLiteModel` with `bytes`, `report`, `save`, `predict`, `evaluate` and `benchmark`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value; nothing was converted.
        ExportError: If the model cannot be converted, or the file does not run, is too far off or
            of no use; nothing was written.
        RuntimeError: If Keras does not run on TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> exported = to_tflite(model)
    >>> exported.report.sqnr_db > 80
    True
    >>> exported.predict(np.zeros((2, 4))).shape
    (2, 3)
    """
    begun = time.perf_counter()
    require_tensorflow("kerasopt.export.to_tflite")
    said = None if metadata is None else check_metadata(metadata)
    one_of("mode", mode, MODES)
    floor = _floors(least_db, [mode]).get(mode)
    wish = Wish(mode, io, exclude, max_accuracy_drop, sparse, floor, said, least_variance)
    target = None if path is None else check_path(path)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    check, labels = with_labels(validation_data)
    if isinstance(model, (str, os.PathLike)):
        model = load(model)
    if exclude is not None and isinstance(model, SavedModel):
        raise bad_value("exclude", "`None` for a SavedModel", exclude, NO_LAYERS)
    prepared = prepare(model, [mode], calibration, check, batch_size)
    if said is not None and "labels" in said:
        shapes = {name: array.shape for name, array in prepared.expected.items()}
        check_labels("metadata['labels']", said["labels"], shapes)
    judged = None if labels is None else Judged(prepared, check, labels)
    check_exclude(prepared, wish)
    with prepared.saved() as saved:
        exported = make(prepared, saved, wish, begun, judged)
    warn_each(exported.report.warnings)
    if target is not None:
        write_bytes(target, exported.bytes)
    return exported


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """What came of each mode.

    Attributes:
        files: By mode, the files that were made.
        refused: By mode, why there is none.
    """

    files: Mapping[str, TFLiteModel]
    refused: Mapping[str, str]

    def __getitem__(self, mode: str) -> TFLiteModel:
        return self.files[mode]

    def rows(self) -> list[list[str]]:
        """Give a table: a heading, and a row a file."""
        reports = {mode: file.report for mode, file in self.files.items()}
        metrics = list(dict.fromkeys(m for one in reports.values() for m in one.accuracy))
        heads = [
            "mode",
            "bytes",
            "zipped",
            "activations",
            "latency, ms",
            "beside float32",
            "dB",
            "variance",
            "arg-max",
        ]
        rows = [[*heads, *metrics]]
        for mode, report in reports.items():
            judged = [report.accuracy.get(metric) for metric in metrics]
            rows.append(
                [mode, *_figures(report), *(f"{one['file']:.4g}" if one else "" for one in judged)]
            )
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON data."""
        return {
            "files": {mode: file.report.to_dict() for mode, file in self.files.items()},
            "refused": dict(self.refused),
        }

    def brief(self) -> str:
        """Give the modes."""
        refused = f"; refused: {', '.join(self.refused)}" if self.refused else ""
        return f"{', '.join(self.files)}{refused}"

    def parts(self) -> list[Any]:
        """Give the table, and why modes were refused."""
        return [self.rows(), *(f"{mode}: {why}" for mode, why in self.refused.items())]

    def to_markdown(self) -> str:
        """Give it as a table in Markdown, and what was refused as a list."""
        heads, *rows = self.rows()
        lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines += ["", *(f"- {mode}: {why}" for mode, why in self.refused.items())]
        return "\n".join(lines).rstrip() + "\n"

    def __str__(self) -> str:
        rows = self.rows()
        table = columns(rows, right=range(1, len(rows[0])))
        return "\n".join([table, *(f"{mode}: {why}" for mode, why in self.refused.items())])


def export_all(
    model: Any,
    modes: Sequence[str] = ("float32", "float16", "dynamic", "int8"),
    *,
    directory: str | os.PathLike[str] | None = None,
    calibration: Any = None,
    validation_data: Any = None,
    batch_size: int | None = None,
    least_db: float | Mapping[str, float] | None = None,
    least_variance: float | None = None,
) -> Comparison:
    """Convert a model in several modes, of one SavedModel, and compare the files.

    A mode that the model does not bear is left out, with the reason. The files are timed in turn,
    so that what else the machine does slows all of them; the table has the median and the quartiles
    of each, and says of which the machine takes longer than of float32, and where the times differ
    so much from run to run that it cannot be told.

    Args:
        model: As in `to_tflite`.
        modes: Which ones. Defaults to `("float32", "float16", "dynamic", "int8")`.
        directory: Where to write them as `<mode>.tflite`. Defaults to `None`: not written.
        calibration: As in `to_tflite`; modes that need it want it. Defaults to `None`.
        validation_data: As in `to_tflite`. Defaults to `None`.
        batch_size: As in `to_tflite`. Defaults to `None`.
        least_db: As in `to_tflite`; a number is for every mode. Defaults to `None`.
        least_variance: As in `to_tflite`. Defaults to `None`.

    Returns:
        A `Comparison`: `files` and `refused` by mode; it prints as a table.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If one has a wrong value; nothing was converted.
        ExportError: If the model can be exported in no mode at all.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> list(export_all(model, ["float32", "float16"]).files)
    ['float32', 'float16']
    """
    require_tensorflow("kerasopt.export.export_all")
    wanted = [modes] if isinstance(modes, str) else list(modes)
    for mode in wanted:
        one_of("modes", mode, MODES)
        require_quantizer(mode)
    floors = _floors(least_db, wanted)
    if not wanted:
        raise bad_value("modes", f"some of {list(MODES)}", modes)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    if directory is not None and not Path(directory).is_dir():
        raise bad_value("directory", "a folder that exists", str(directory))
    check, labels = with_labels(validation_data)
    if isinstance(model, (str, os.PathLike)):
        model = load(model)
    prepared = prepare(model, wanted, calibration, check, batch_size)
    judged = None if labels is None else Judged(prepared, check, labels)
    files: dict[str, TFLiteModel] = {}
    refused: dict[str, str] = {}
    with prepared.saved() as saved:
        for mode in dict.fromkeys(wanted):
            begun = time.perf_counter()
            try:
                prepared.refuse(mode)
                wish = Wish(mode, least_db=floors.get(mode), least_variance=least_variance)
                files[mode] = make(prepared, saved, wish, begun, judged, timed=False)
            except ExportError as error:
                refused[mode] = str(error)
        files = timed_in_turn(files, prepared, saved) if files else files
    if not files:
        raise ExportError("No file could be made. " + " ".join(refused.values()))
    for mode, file in files.items() if directory is not None else ():
        write_bytes(Path(directory or "") / f"{mode}.tflite", file.bytes)
    return Comparison(files, refused)


def _floors(least_db: float | Mapping[str, float] | None, modes: Sequence[str]) -> dict[str, float]:
    """Give the lowest ratio that is believed by mode, where there is one."""
    if least_db is None:
        return {}
    if not isinstance(least_db, Mapping):
        return dict.fromkeys(modes, number("least_db", least_db))
    for mode, floor in least_db.items():
        one_of("least_db", mode, MODES)
        number("least_db", floor)
    return dict(least_db)


def _quartiles(latency: Latency) -> str:
    if latency.low_ms is None or latency.high_ms is None:
        return ""
    return f" ({latency.low_ms:.3g} to {latency.high_ms:.3g})"


def _figures(report: Report) -> list[str]:
    cost = report.cost
    every = (one.least_variance for one in report.agreement.values())
    kept = [one for one in every if one is not None]
    every = (one.same_class for one in report.agreement.values())
    same = [one for one in every if one is not None]
    return [
        f"{cost.file_bytes:,}",
        f"{cost.zipped_bytes:,}",
        f"{cost.peak_memory:,}",
        f"{cost.latency.median_ms:.3g}{_quartiles(cost.latency)}",
        "" if report.pace is None else str(report.pace),
        f"{report.sqnr_db:.0f}",
        f"{max(min(kept), 0.0):.1%}" if kept else "",
        f"{min(same):.1%}" if same else "",
    ]
