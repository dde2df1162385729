"""The commands `export` and `compare`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from kerasopt._core.checks import bad_value
from kerasopt._core.files import write_text
from kerasopt.cli.data import load as load_data
from kerasopt.cli.inspect import print_json, show, with_folder
from kerasopt.export import ExportError, inspect, to_c_array, to_tflite
from kerasopt.export.codegen.c_array import identifier
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.saved_model import load as load_model
from kerasopt.export.model.signature import signature_of
from kerasopt.export.runtime.keras_latency import latency_in_turn
from kerasopt.export.runtime.latency import Timed
from kerasopt.export.validation.agreement import compare as compared
from kerasopt.export.validation.validator import file_outputs, keras_outputs
from kerasopt.reporting.tables import table


def export(
    model: str,
    output: str | None,
    mode: str,
    calibration: str | None,
    io: str,
    batch_size: int | None,
    validation_data: str | None,
    labels: str | None,
    metadata: str | None,
    exclude: tuple[str, ...],
    max_accuracy_drop: float,
    sparse: bool,
    least_variance: float | None,
    c_array: str | None,
    snippet: str | None,
    as_json: bool,
) -> None:
    """Convert the model of a file, and print the report."""
    if labels is not None and validation_data is None:
        if calibration is None:
            expected = "`--validation-data` or `--calibration`, whose labels they are"
            raise bad_value("labels", expected, labels)
        validation_data = calibration
    loaded = load_model(model)
    output = _beside(model, mode) if output is None else with_folder("output", output)
    if c_array is not None:
        with_folder("c_array", c_array)
    size = input_size(loaded)
    given = {
        name: None if path is None else load_data(name, path, size)
        for name, path in (("calibration", calibration), ("validation_data", validation_data))
    }
    held = given["validation_data"]
    if labels is not None:
        held = (held, load_data("labels", labels))
    said = None if metadata is None else _json_of("metadata", metadata)
    exported = to_tflite(
        loaded,
        output,
        mode,
        calibration=given["calibration"],
        io=io,
        batch_size=batch_size,
        validation_data=held,
        metadata=said,
        exclude="auto" if exclude == ("auto",) else list(exclude) or None,
        max_accuracy_drop=max_accuracy_drop,
        sparse=sparse,
        least_variance=least_variance,
    )
    if c_array is not None:
        write_text(c_array, to_c_array(exported, identifier(Path(output).stem)))
    show(str(exported.report), exported.report.to_dict(), output, snippet, as_json)


def _beside(model: str, mode: str) -> str:
    """Give the path of a file beside its model: `model.tflite`, or `model-int8.tflite`."""
    path = Path(model)
    plain = path.name if path.is_dir() else path.stem
    ending = "" if mode == "float32" else f"-{mode}"
    target = path.absolute().with_name(f"{plain}{ending}.tflite")
    click.echo(f"Writes {target}", err=True)
    return str(target)


def beside(model: str, file: str, data: str, least: float, latency: bool, as_json: bool) -> None:
    """Print how far a file's outputs are from its model's, and how long both take.

    Raises:
        ExportError: If one is below `least` dB.
    """
    loaded = load_model(model)
    signature = signature_of(loaded)
    samples = read("data", load_data("data", data, input_size(loaded)), signature.inputs)
    inspect(file)  # a damaged one is refused where it does no harm
    expected = keras_outputs(loaded, signature, samples)
    content = Path(file).read_bytes()
    try:
        actual = file_outputs(content, signature, samples)
    except (KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{file} does not take the inputs of {model}: {error}") from error
    missing = [name for name in expected if name not in actual]
    if missing:
        raise ValueError(f"{file} has no output {missing[0]!r}; it has {sorted(actual)}.")
    found = {name: compared(np.asarray(one), actual[name]) for name, one in expected.items()}
    timed = _in_turn(model, file) if latency else None
    if as_json:
        plain: dict[str, Any] = {"outputs": {name: one.to_dict() for name, one in found.items()}}
        if timed is not None:
            of_both = dict(zip(("model", "file"), timed.latencies, strict=True))
            plain["latency"] = {name: one.to_dict() for name, one in of_both.items()}
            beside_it = timed.pace(1, 0)
            plain["latency"]["pace"] = {**asdict(beside_it), "said": str(beside_it)}
        print_json(plain)
    else:
        rows = {
            name: [
                f"{one.sqnr_db:.1f}",
                "" if one.least_variance is None else f"{max(one.least_variance, 0.0):.1%}",
                f"{one.largest_difference:.3g}",
                "" if one.same_class is None else f"{one.same_class:.1%}",
                str(one.samples),
            ]
            for name, one in found.items()
        }
        heads = ["output", "dB", "variance", "largest off", "arg-max", "samples"]
        console = Console()
        console.print(table(f"{Path(file).name} beside {Path(model).name}", heads, rows))
        if timed is not None:
            console.print(_times(model, file, timed))
    worst = min(found, key=lambda name: found[name].sqnr_db)
    if found[worst].sqnr_db < least:
        raise ExportError(
            f"Output {worst!r} has {found[worst].sqnr_db:.1f} dB, less than {least:.4g}."
        )


def _in_turn(model: str, file: str) -> Timed | None:
    """Time a model and its file; say so if that is not possible."""
    try:
        return latency_in_turn(model, [file])
    except RuntimeError as error:
        click.echo(f"{error} (Leave it out with --no-latency.)", err=True)
        return None


def _times(model: str, file: str, timed: Timed) -> Any:
    rows = {
        name: [
            f"{one.median_ms:.3g}",
            "" if one.low_ms is None else f"{one.low_ms:.3g} to {one.high_ms:.3g}",
            beside_it,
        ]
        for name, one, beside_it in zip(
            (Path(model).name, Path(file).name),
            timed.latencies,
            ("", str(timed.pace(1, 0))),
            strict=True,
        )
    }
    heads = ["", "median, ms", "half within", "beside the model"]
    return table("1 thread, in turn", heads, rows)


def input_size(model: Any) -> tuple[int | None, ...] | None:
    """Give height, width and channels of a model's only input, if it takes images."""
    inputs = signature_of(model).inputs
    return inputs[0].shape[1:] if len(inputs) == 1 and len(inputs[0].shape) == 4 else None


def _json_of(argument: str, path: str) -> Any:
    if not Path(path).is_file():
        raise bad_value(argument, "a path of a `.json` file", path, "There is no such file.")
    try:
        return json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise bad_value(argument, "a file with JSON", path, f"{error}.") from error
