"""One model in several modes, side by side."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasopt._checks import at_least, bad_value, number, one_of
from kerasopt._files import write_bytes
from kerasopt._keras import require_tensorflow
from kerasopt._shown import Shown
from kerasopt._text import columns
from kerasopt.export.building import make, timed_in_turn
from kerasopt.export.errors import ExportError
from kerasopt.export.judging import Judged
from kerasopt.export.latency import Latency
from kerasopt.export.loading import load
from kerasopt.export.modes import MODES
from kerasopt.export.needs import require_quantizer
from kerasopt.export.preparing import prepare
from kerasopt.export.report import Report
from kerasopt.export.tflite_model import TFLiteModel
from kerasopt.export.wish import Wish


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
    folder: str | os.PathLike[str] | None = None,
    calibration: Any = None,
    batch_size: int | None = None,
    check: Any = None,
    labels: Any = None,
    least_db: Mapping[str, float] | None = None,
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
        folder: Where to write them as `<mode>.tflite`. Defaults to `None`: not written.
        calibration: As in `to_tflite`; modes that need it want it. Defaults to `None`.
        batch_size: As in `to_tflite`. Defaults to `None`.
        check: As in `to_tflite`. Defaults to `None`.
        labels: As in `to_tflite`. Defaults to `None`.
        least_db: By mode, as in `to_tflite`. Defaults to `None`.
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
    floors = dict(least_db or {})
    for mode, floor in floors.items():
        one_of("least_db", mode, MODES)
        number("least_db", floor)
    if not wanted:
        raise bad_value("modes", f"some of {list(MODES)}", modes)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    if folder is not None and not Path(folder).is_dir():
        raise bad_value("folder", "a folder that exists", str(folder))
    if labels is not None and check is None:
        raise bad_value("labels", "`None` without `check`, whose labels they are", labels)
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
    for mode, file in files.items() if folder is not None else ():
        write_bytes(Path(folder or "") / f"{mode}.tflite", file.bytes)
    return Comparison(files, refused)


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
