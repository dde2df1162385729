"""Code for an app that runs one very file: its names, shapes and scales stand in it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasopt._core.checks import bad_value, one_of
from kerasopt.export.codegen import kotlin, swift
from kerasopt.export.codegen.parts import Source
from kerasopt.export.file.metadata import check_labels
from kerasopt.export.report.inspection import asked, content_of, port
from kerasopt.export.runtime.interpreter import Call

if TYPE_CHECKING:
    from kerasopt.export.file.tflite_model import TFLiteModel

PLATFORMS = {"android": kotlin.render, "ios": swift.render}


def snippet(
    file: "TFLiteModel | str | os.PathLike[str] | bytes",
    platform: str,
    labels: Sequence[str] | None = None,
) -> str:
    """Write the code of an app that runs a file: a class with a method `run`.

    Inputs and outputs have the names of the file's signature. Where the file takes or gives
    integers for real numbers, the code quantizes and dequantizes, by the file's own scales. An axis
    of any size is 1, and all but the batch axis are constants that can be changed.

    Args:
        file: What `to_tflite` gave, or the path of a `.tflite` file, or its bytes.
        platform: `"android"`: Kotlin, for LiteRT's `CompiledModel`, with the GPU as an option, and
            for its `Interpreter` where an input or output is of a type that the other does not
            take or has another axis of any size than the batch axis; or `"ios"`: Swift, for
            TensorFlowLiteSwift, and for its C library where an output is int8, which Swift's
            `Tensor` does not know.
        labels: Names of the numbers of the output, which the code is to hold. Defaults to `None`:
            those of the file's metadata, if it has some.

    Returns:
        The source.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the platform is another one; there is no such file, it cannot be loaded, it
            has no signature, or one with strings; or there are not as many labels as numbers.

    Example:
    >>> import keras
    >>> from kerasopt.export import snippet, to_tflite
    >>> model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, name="y")])
    >>> code = snippet(to_tflite(model), "android")
    >>> "fun run(x: FloatArray): Outputs" in code
    True
    """
    one_of("platform", platform, PLATFORMS)
    content = content_of(file)
    name = Path(file).name if isinstance(file, (str, os.PathLike)) else "model.tflite"
    found = asked("load", file, content)
    if found["call"] is None:
        raise bad_value(
            "file", "a file with a signature, as `to_tflite` gives one", name, "It has none."
        )
    call = Call(
        found["call"]["key"],
        tuple(map(port, found["call"]["inputs"])),
        tuple(map(port, found["call"]["outputs"])),
    )
    if labels is None:
        labels = (found["metadata"] or {}).get("labels")
    if labels is not None:
        labels = check_labels("labels", labels, {one.name: one.shape for one in call.outputs})
    return PLATFORMS[platform](Source(name, call, tuple(labels or ())))
