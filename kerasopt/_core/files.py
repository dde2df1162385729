"""Files that appear whole or not at all, and plain data with arrays in one of them."""

import json
import numbers
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.errors import KerasoptError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`, moved there in one step if the block succeeds.

    If the block raises, an earlier file at `path` stays as it was and the temporary one goes.

    Args:
        path: Where the file is wanted. Its folder must exist.

    Yields:
        A path of a file that does not exist yet, in the same folder and with the same suffix.
    """
    target = Path(path)
    suffix = "".join(target.suffixes)  # Keras writes weights to names in .weights.h5 only
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name.removesuffix(suffix)}-", suffix=suffix
    )
    os.close(handle)
    os.unlink(name)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write `content` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, content.encode())


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


class DamagedFileError(KerasoptError, ValueError):
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
