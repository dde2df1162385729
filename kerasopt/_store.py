"""Plain data with arrays in one file: JSON and the arrays in an npz, nothing pickled.

Plain data are dicts with string keys, lists, strings, numbers, Booleans, `None` and NumPy arrays.
A number comes back bit for bit, NaN and infinities included. The file is a zip archive, each of
whose entries carries a checksum: damage is noticed.
"""

import json
import numbers
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._files import replacing

_TREE = "tree"
_ARRAY = "__array__"
_ESCAPE = "\\"
# What `np.save` can write and read without pickle; others, such as bfloat16, go as bytes.
_OWN_KINDS = "?biufcSU"

# All that reading a zip archive, an array or JSON has raised when any byte of a file was changed.
_DAMAGE = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class DamagedFileError(ValueError):
    """A file that is not what was written: cut short, changed, or of another kind."""


def save(path: str | os.PathLike[str], data: Mapping[str, Any]) -> None:
    """Write plain data to a file, whole or not at all.

    Args:
        path: Where; its folder must exist.
        data: Plain data.

    Raises:
        TypeError: If something in it is no plain data; the message says where.
    """
    arrays: dict[str, NDArray[Any]] = {}
    text = json.dumps(_flat(data, "", arrays))
    arrays[_TREE] = np.frombuffer(text.encode(), np.uint8)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `save` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        DamagedFileError: If it is not what was written; the message names it.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        tree = json.loads(arrays[_TREE].tobytes().decode())
        data: dict[str, Any] = _full(tree, arrays)
    except FileNotFoundError:
        raise
    except _DAMAGE as e:
        raise DamagedFileError(f"The file {os.fspath(path)!r} is damaged: {e}") from e
    if not isinstance(data, dict):
        raise DamagedFileError(f"The file {os.fspath(path)!r} holds something else.")
    return data


def _safe(key: str) -> str:
    """Give a key that cannot be taken for the mark of an array."""
    return f"{_ESCAPE}{key}" if key == _ARRAY or key.startswith(_ESCAPE) else key


def _flat(thing: Any, where: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Give a thing as JSON can hold it, its arrays replaced by their names."""
    if thing is None or isinstance(thing, (bool, str, np.bool_)):
        return bool(thing) if isinstance(thing, np.bool_) else thing
    if isinstance(thing, numbers.Integral):
        return int(thing)
    if isinstance(thing, numbers.Real):
        return float(thing)
    if isinstance(thing, np.ndarray):
        name = f"a{len(arrays)}"
        own = thing.dtype.kind in _OWN_KINDS
        arrays[name] = thing if own else np.frombuffer(thing.tobytes(), np.uint8)
        return {_ARRAY: name, "dtype": None if own else thing.dtype.name, "shape": thing.shape}
    if isinstance(thing, Mapping) and all(isinstance(key, str) for key in thing):
        return {_safe(key): _flat(value, f"{where}/{key}", arrays) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_flat(value, f"{where}/{i}", arrays) for i, value in enumerate(thing)]
    raise TypeError(
        f"Only plain data can be saved: dicts with string keys, lists, strings, numbers, Booleans, "
        f"None and NumPy arrays. At {where or 'the top'!r} there is {type(thing).__name__}: "
        f"{repr(thing)[:100]}."
    )


def _full(thing: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(thing, list):
        return [_full(value, arrays) for value in thing]
    if not isinstance(thing, dict):
        return thing
    if _ARRAY not in thing:
        return {key.removeprefix(_ESCAPE): _full(value, arrays) for key, value in thing.items()}
    array = arrays[thing[_ARRAY]]
    if thing["dtype"] is None:
        return array
    import ml_dtypes

    dtype = np.dtype(getattr(ml_dtypes, thing["dtype"]))
    return np.frombuffer(array.tobytes(), dtype).reshape(thing["shape"]).copy()
