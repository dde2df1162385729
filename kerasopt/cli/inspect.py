"""The commands `inspect` and `benchmark`: what reads a `.tflite` file needs no TensorFlow."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core import quiet
from kerasopt._core.checks import bad_value
from kerasopt._core.display import columns
from kerasopt.export import inspect
from kerasopt.export import snippet as snippet_for
from kerasopt.export.report.inspection import benchmark_in_turn

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
    with quiet.held_back():
        from kerasopt.export.model.saved_model import SavedModel, load
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


_HEADS = ["layer", "kind", "output", "parameters", "bytes", "zero", "precision"]


def layers_of(model: Any) -> list[dict[str, Any]]:
    """List the layers with weights of their own, and those without any.

    A model inside the model is listed by its layers.

    Args:
        model: A built Keras model.

    Returns:
        A dict a layer, plain data.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="out")])
    >>> [(one["layer"], one["bytes"], one["output"]) for one in layers_of(model)]
    [('out', 60, [None, 3])]
    """
    # Imports Keras, which a `.tflite` file does not need.
    from kerasopt.selection import walk

    found = [(path, layer) for path, layer in walk(model) if not getattr(layer, "layers", None)]
    return [_layer(path, layer) for path, layer in found if type(layer).__name__ != "InputLayer"]


def layers_table(layers: list[dict[str, Any]]) -> str:
    """Give them as a table of text."""
    rows = [
        [
            one["layer"],
            one["kind"],
            " x ".join("any" if size is None else str(size) for size in one["output"] or ()),
            f"{one['parameters']:,}",
            f"{one['bytes']:,}",
            f"{one['sparsity']:.1%}" if one["parameters"] else "",
            one["quantization"] or one["precision"],
        ]
        for one in layers
    ]
    return columns([_HEADS, *rows], right=[3, 4, 5])


def _layer(path: str, layer: Any) -> dict[str, Any]:
    weights = [np.asarray(one) for one in layer.weights]
    size = sum(one.size for one in weights)
    zeros = sum(one.size - int(np.count_nonzero(one)) for one in weights)
    return {
        "layer": path,
        "kind": type(layer).__name__,
        "output": _output(layer),
        "parameters": size,
        "bytes": sum(one.nbytes for one in weights),
        "sparsity": zeros / size if size else 0.0,
        "precision": layer.dtype_policy.name,
        "quantization": getattr(layer, "quantization_mode", None),
    }


def _output(layer: Any) -> list[int | None] | None:
    """Give the shape of a layer's output where it has one: outside a graph it has none."""
    try:
        return list(layer.output.shape)
    except AttributeError:
        return None
