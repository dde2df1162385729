"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
