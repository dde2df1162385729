"""What a TFLite file says about itself: name, version, license, labels, and so on."""

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value
from kerasopt.export.file.buffers import data_of, rewritten

NAME = "kerasopt"
"""Name of the entry in the file's metadata table."""

LABELS = "labels.txt"
"""Name of the file with the labels, in the zip at the end of the TFLite file."""

_DEEPEST = 20
_VALUES = "strings, finite numbers, True, False, None, and lists and dicts of these"


def check_metadata(metadata: Any) -> dict[str, Any]:
    """Check what is to be written into a file.

    Args:
        metadata: A dict of string -> what JSON can hold.

    Returns:
        The same as plain JSON data: tuples are lists.

    Raises:
        TypeError: If it is no dict, a key no string, or a value nothing for JSON.
        ValueError: If a number is not finite, or it is nested too deep, or a label cannot be
            written as a line.

    Example:
    >>> check_metadata({"version": "1.2", "input": {"mean": (0.5, 0.5)}})
    {'version': '1.2', 'input': {'mean': [0.5, 0.5]}}
    """
    if not isinstance(metadata, Mapping):
        raise bad_type("metadata", "a dict of string -> JSON data", metadata)
    plain: dict[str, Any] = _plain(metadata, "metadata", 0)
    if "labels" in plain:
        check_labels("metadata['labels']", plain["labels"])
    return plain


def check_labels(
    argument: str, labels: Any, outputs: Mapping[str, Sequence[int | None]] | None = None
) -> list[str]:
    """Check names for the numbers of an output.

    Args:
        argument: Name of the argument.
        labels: A list of strings, each of which fits in a line.
        outputs: By name, the shapes of the outputs. If there is one, and its last axis has a size,
            there must be as many labels. Defaults to `None`: not checked.

    Returns:
        The labels.

    Raises:
        TypeError: If it is no list of strings.
        ValueError: If a label is empty or longer than a line, or their number is wrong.
    """
    expected = "a list of strings"
    if not isinstance(labels, (list, tuple)) or not all(isinstance(one, str) for one in labels):
        raise bad_type(argument, expected, labels)
    if not labels or any(one.splitlines() != [one] for one in labels):
        raise bad_value(argument, f"{expected}, none of them empty or with a line break", labels)
    for name, shape in outputs.items() if outputs is not None and len(outputs) == 1 else ():
        if shape and shape[-1] not in (None, len(labels)):
            raise bad_value(
                argument,
                f"{shape[-1]} strings, as many as output {name!r} has on its last axis",
                labels,
                f"There are {len(labels)}.",
            )
    return list(labels)


def with_metadata(file: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Write metadata into a file, and leave all else in it as it is.

    They stand as JSON in the file's metadata table. `"labels"` are also appended as `labels.txt` in
    a zip, where readers of TFLite Metadata look for associated files.

    Args:
        file: Its bytes.
        metadata: What `check_metadata` gave.

    Raises:
        ExportError: If the file is too large.
    """
    text = json.dumps(metadata, allow_nan=False, separators=(",", ":"))
    result = with_entry(file, NAME, text.encode())
    if "labels" not in metadata:
        return result
    stream = io.BytesIO(result)
    with zipfile.ZipFile(stream, "a") as archive:
        # Not compressed, which those readers ask for, and with the same date in every file.
        lines = "".join(f"{one}\n" for one in metadata["labels"])
        archive.writestr(zipfile.ZipInfo(LABELS), lines.encode(errors="replace"))
    return stream.getvalue()


def metadata_of(file: bytes) -> dict[str, Any] | None:
    """Read what `with_metadata` wrote; `None` if there is nothing.

    Raises:
        ValueError: If it is no JSON object.
    """
    text = entry(file, NAME)
    if text is None:
        return None
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("The metadata of the file are no JSON object.")
    return found


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise bad_value("metadata", f"nothing nested deeper than {_DEEPEST} times", value)
    if value is None or isinstance(value, (str, bool)):
        return value
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is float:
        raise bad_value(place, "a finite number", value)
    if isinstance(value, (list, tuple)):
        return [_plain(one, f"{place}[{n}]", depth + 1) for n, one in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise bad_type(place, "strings as keys", key)
        return {key: _plain(one, f"{place}[{key!r}]", depth + 1) for key, one in value.items()}
    raise bad_type(place, _VALUES, value, "Give NumPy's values as `.tolist()`.")


def entry(file: bytes, name: str) -> bytes | None:
    """Read an entry of a file that LiteRT has loaded before: nothing is checked here.

    Args:
        file: Its bytes.
        name: Name of the entry.

    Returns:
        What was written, or `None` if there is no such entry.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    for number in range(model.MetadataLength()):
        one = model.Metadata(number)
        if one.Name() == name.encode():
            return bytes(data_of(file, model.Buffers(one.Buffer())))
    return None


def with_entry(file: bytes, name: str, content: bytes) -> bytes:
    """Put an entry into a file, and leave all else in it as it is, byte for byte.

    Weights that stand behind the flatbuffer are brought into it.

    Args:
        file: Its bytes.
        name: Name of the entry; one that has it already is replaced.
        content: What to write.

    Raises:
        ExportError: If the file is too large for that.
    """
    return rewritten(file, name, content)
