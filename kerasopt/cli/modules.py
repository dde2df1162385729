"""What a user has written, imported by its name."""

import os
import sys
import sysconfig
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from kerasopt._checks import bad_value, did_you_mean


def find(argument: str, spec: str) -> tuple[ModuleType, Any]:
    """Find something in a module.

    Args:
        argument: Name of the argument, for errors.
        spec: `MODULE:NAME`, where `MODULE` is a dotted name or the path of a `.py` file.

    Returns:
        The module and the thing.

    Raises:
        ValueError: If there is no such thing, or the module raises when it is imported.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        expected = "MODULE:NAME, where MODULE may be the path of a .py file"
        raise bad_value(argument, expected, spec)
    module = _module(argument, place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [one for one in vars(module) if not one.startswith("_")]
            raise bad_value(
                argument, f"the name of something in {place}", spec,
                did_you_mean(name, known) or f"It has no {name!r}.",
            )  # fmt: skip
        found = getattr(found, part)
    return module, found


def _module(argument: str, name: str) -> ModuleType:
    """Import a module so that other processes with the same `sys.path` can import it by name."""
    here, path = os.getcwd(), None
    if here not in sys.path:
        sys.path.insert(0, here)
    if name.endswith(".py") or os.sep in name:
        path = Path(name)
        if not path.is_file() or path.suffix != ".py":
            raise bad_value(argument, "a path of a .py file", name, "There is no such file.")
        folder, name = str(path.absolute().parent), path.stem
        if sys.path[0] != folder:
            sys.path.insert(0, folder)
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise raised(f"Importing {name}", error) from error
        raise bad_value(
            argument, "a module that can be imported from here", name,
            f"There is no module {error.name!r} in this folder, nor is one installed.",
        ) from error  # fmt: skip
    except Exception as error:
        raise raised(f"Importing {name}", error) from error
    file = getattr(module, "__file__", None)
    if path is not None and not (file and Path(file).samefile(path)):
        raise bad_value(
            argument, "a file with a name that no other module has", str(path),
            f"There is also {file or 'one in Python itself'}: rename yours.",
        )  # fmt: skip
    return module


def call(spec: str, function: Any) -> Any:
    """Call a user's function without arguments.

    Raises:
        ValueError: If it raises.
    """
    try:
        return function()
    except Exception as error:
        raise raised(spec, error) from error


def raised(what: str, error: Exception) -> ValueError:
    """Give the error of a user's code, with the line of it."""
    where = line_of(error) or ""
    return ValueError(f"{what} raised {type(error).__name__}: {error}{where and f' ({where})'}")


def line_of(error: BaseException) -> str | None:
    """Give the last line of the user's own code that an error came through, if there is one."""
    paths = sysconfig.get_paths()
    others = (
        *(paths[one] for one in ("stdlib", "platstdlib", "purelib", "platlib")),
        str(Path(__file__).parents[1]),
        "<",
    )
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(others):
            return f"{Path(frame.filename).name}, line {frame.lineno}"
    return None
