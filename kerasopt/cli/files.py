"""The commands `inspect` and `benchmark`: what reads a `.tflite` file needs no TensorFlow."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kerasopt import _quiet
from kerasopt._checks import bad_value
from kerasopt.export import inspect
from kerasopt.export import snippet as snippet_for
from kerasopt.export.inspection import benchmark_in_turn

_WIDE = 200


def look(file: str, snippet: str | None, as_json: bool) -> None:
    """Print what is in a `.tflite` file, or in a model of Keras, or the code that runs the file."""
    if snippet is not None and not as_json:
        print_text(snippet_for(file, snippet))
        return
    if Path(file).suffix == ".tflite" or snippet is not None:
        found = inspect(file)
        text, plain = str(found), found.to_dict()
    else:
        text, plain = _model(file)
    show(text, plain, file, snippet, as_json)


def _model(file: str) -> tuple[str, dict[str, Any]]:
    with _quiet.held_back():
        from kerasopt.cli.layers import layers_of, layers_table
        from kerasopt.export.loading import load
        from kerasopt.export.saved_model import SavedModel
        from kerasopt.pruning import sparsity
    model = load(file, "file")
    if isinstance(model, SavedModel):
        raise bad_value("file", "a `.tflite`, `.keras` or `.h5` file", file, "It is a SavedModel.")
    layers, zeros = layers_of(model), sparsity(model)
    return f"{layers_table(layers)}\n\n{zeros}", {**zeros.to_dict(), "layers": layers}


def times(files: tuple[str, ...], threads: int, seconds: float, as_json: bool) -> None:
    """Print how long files take, side by side, and which are slower than the first."""
    found: dict[str, dict[str, Any]] = {}
    names_once = list(dict.fromkeys(files))
    timed = benchmark_in_turn(names_once, threads, seconds)
    for position, file in enumerate(names_once):
        contents = inspect(file)
        pace = timed.pace(position, 0) if position else None
        found[file] = {
            **timed.latencies[position].to_dict(),
            "file_bytes": contents.file_bytes,
            "peak_memory": contents.peak_memory,
            "pace": None if pace is None else {**asdict(pace), "said": str(pace)},
        }
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    from kerasopt.reporting.tables import table

    # Names alone, if they tell the files apart: a terminal is narrow.
    names = {file: Path(file).name for file in found}
    alone = len(set(names.values())) == len(names)
    rows = {
        names[file] if alone else file: [
            f"{one['median_ms']:.3g}",
            f"{one['low_ms']:.3g} to {one['high_ms']:.3g}",
            f"{one['p95_ms']:.3g}",
            *([one["pace"]["said"] if one["pace"] else ""] if len(found) > 1 else []),
            f"{one['file_bytes']:,}",
            f"{one['peak_memory']:,}",
        ]
        for file, one in found.items()
    }
    heads = ["file", "median, ms", "half within", "95 %, ms"]
    heads += ["beside the first"] if len(found) > 1 else []
    heads += ["bytes", "activations"]
    # Of a pipe or a file nothing is cut off.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    console.print(table(f"{threads} thread{'s' * (threads > 1)}", heads, rows))


def show(text: str, plain: dict[str, Any], file: str, platform: str | None, as_json: bool) -> None:
    """Print a report as text or JSON, and the code that runs the file, if a platform is named."""
    code = None if platform is None else snippet_for(file, platform)
    if as_json:
        print_json(plain if code is None else {**plain, "snippet": code})
    else:
        print_text(text if code is None else f"{text}\n\n{code}")


def with_folder(argument: str, path: str) -> str:
    """Make the folder of a file that will be written, and give the path.

    Raises:
        ValueError: If the folder cannot be made.
    """
    try:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise bad_value(
            argument, "a path in a folder that exists or can be made", path, f"{error}."
        ) from error
    return path


def print_text(text: str) -> None:
    """Print a text."""
    print(text)  # noqa: T201


def print_json(value: Any) -> None:
    """Print plain data as JSON."""
    print(json.dumps(value, indent=2))  # noqa: T201
