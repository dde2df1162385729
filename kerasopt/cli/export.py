"""The commands `export`, `inspect`, `benchmark` and `compare`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasopt._checks import bad_value
from kerasopt._files import write_text
from kerasopt.cli.data import load as load_data
from kerasopt.cli.layers import layers_of, layers_table
from kerasopt.export import ExportError, benchmark, inspect, to_c_array, to_tflite
from kerasopt.export import snippet as snippet_for
from kerasopt.export.agreement import compare as compared
from kerasopt.export.loading import load as load_model
from kerasopt.export.reading import read
from kerasopt.export.saved_model import SavedModel
from kerasopt.export.signature import signature_of
from kerasopt.export.verify import file_outputs, keras_outputs
from kerasopt.reporting.tables import table


def export(
    model: str,
    output: str,
    mode: str,
    calibration: str | None,
    io: str,
    batch_size: int | None,
    check: str | None,
    labels: str | None,
    metadata: str | None,
    exclude: tuple[str, ...],
    max_accuracy_drop: float,
    sparse: bool,
    c_array: str | None,
    snippet: str | None,
    as_json: bool,
) -> None:
    """Convert the model of a file, and print the report."""
    if labels is not None and check is None:
        if calibration is None:
            raise bad_value("labels", "`--check` or `--calibration`, whose labels they are", labels)
        check = calibration
    if c_array is not None and not Path(c_array).parent.is_dir():
        raise bad_value("c_array", "a path in a folder that exists", c_array)
    loaded = load_model(model)
    size = input_size(loaded)
    given = {
        name: None if path is None else load_data(name, path, size)
        for name, path in (("calibration", calibration), ("check", check))
    }
    right = None if labels is None else load_data("labels", labels)
    said = None if metadata is None else _json_of("metadata", metadata)
    exported = to_tflite(
        loaded,
        output,
        mode,
        given["calibration"],
        io,
        batch_size,
        given["check"],
        right,
        said,
        exclude="auto" if exclude == ("auto",) else list(exclude) or None,
        max_accuracy_drop=max_accuracy_drop,
        sparse=sparse,
    )
    if c_array is not None:
        name = re.sub(r"\W", "_", f"_{Path(output).stem}").lstrip("_") or "model"
        write_text(c_array, to_c_array(exported.bytes, name))
    _show(str(exported.report), exported.report.to_dict(), output, snippet, as_json)


def look(file: str, snippet: str | None, as_json: bool) -> None:
    """Print what is in a `.tflite` file, or in a model of Keras."""
    if Path(file).suffix == ".tflite" or snippet is not None:
        found = inspect(file)
        text, plain = str(found), found.to_dict()
    else:
        from kerasopt.pruning import sparsity

        model = load_model(file, "file")
        if isinstance(model, SavedModel):
            raise bad_value(
                "file", "a `.tflite`, `.keras` or `.h5` file", file, "It is a SavedModel."
            )
        layers, zeros = layers_of(model), sparsity(model)
        text = f"{layers_table(layers)}\n\n{zeros}"
        plain = {**zeros.to_dict(), "layers": layers}
    _show(text, plain, file, snippet, as_json)


def times(files: tuple[str, ...], threads: int, seconds: float, as_json: bool) -> None:
    """Print how long files take, side by side."""
    found = {}
    for file in files:
        latency, contents = benchmark(file, threads, seconds), inspect(file)
        found[file] = {
            **latency.to_dict(),
            "file_bytes": contents.file_bytes,
            "peak_memory": contents.peak_memory,
        }
    if as_json:
        _print_json(found)
        return
    # Names alone, if they tell the files apart: a terminal is narrow.
    names = {file: Path(file).name for file in found}
    alone = len(set(names.values())) == len(names)
    rows = {
        names[file] if alone else file: [
            f"{one['median_ms']:.3g}",
            f"{one['p95_ms']:.3g}",
            f"{one['file_bytes']:,}",
            f"{one['peak_memory']:,}",
        ]
        for file, one in found.items()
    }
    heads = ["file", "median, ms", "95 %, ms", "bytes", "activations"]
    Console().print(table(f"{threads} thread{'s' * (threads > 1)}", heads, rows))


def beside(model: str, file: str, data: str, least: float, as_json: bool) -> None:
    """Print how far a file's outputs are from its model's.

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
    if as_json:
        _print_json({name: one.to_dict() for name, one in found.items()})
    else:
        rows = {
            name: [
                f"{one.sqnr_db:.1f}",
                f"{one.largest_difference:.3g}",
                "" if one.argmax is None else f"{one.argmax:.1%}",
                str(one.samples),
            ]
            for name, one in found.items()
        }
        heads = ["output", "dB", "largest off", "arg-max", "samples"]
        Console().print(table(f"{Path(file).name} beside {Path(model).name}", heads, rows))
    worst = min(found, key=lambda name: found[name].sqnr_db)
    if found[worst].sqnr_db < least:
        raise ExportError(
            f"Output {worst!r} has {found[worst].sqnr_db:.1f} dB, less than {least:.4g}."
        )


def input_size(model: Any) -> tuple[int | None, ...] | None:
    """Give height, width and channels of a model's only input, if it takes images."""
    inputs = signature_of(model).inputs
    return inputs[0].shape[1:] if len(inputs) == 1 and len(inputs[0].shape) == 4 else None


def _show(text: str, plain: dict[str, Any], file: str, platform: str | None, as_json: bool) -> None:
    code = None if platform is None else snippet_for(file, platform)
    if as_json:
        _print_json(plain if code is None else {**plain, "snippet": code})
    else:
        _print(text if code is None else f"{text}\n\n{code}")


def _json_of(argument: str, path: str) -> Any:
    if not Path(path).is_file():
        raise bad_value(argument, "a path of a `.json` file", path, "There is no such file.")
    try:
        return json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise bad_value(argument, "a file with JSON", path, f"{error}.") from error


def _print(text: str) -> None:
    print(text)  # noqa: T201


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))  # noqa: T201
