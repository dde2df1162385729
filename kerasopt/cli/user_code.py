"""What a user has written, imported by its name."""

import inspect
import os
import sys
import sysconfig
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt.cli.data import load as load_file


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


_DATA = "(x, y), ((x, y), (x_val, y_val)) or a dict of arguments of `fit`"
_TAKEN = ("verbose", "workers", "trials_per_process", "most")


def hypermodel(spec: str) -> tuple[ModuleType, Any]:
    """Find a hypermodel.

    Args:
        spec: `MODULE:NAME`, where `MODULE` is a dotted name or the path of a `.py` file, and `NAME`
            that of a function `build(hp)`, of a `HyperModel`, or of a function or class that gives
            one when it is called without arguments.

    Returns:
        The module, and what `keras_tuner` takes.

    Raises:
        TypeError: If it is something else.
        ValueError: If there is no such thing, or the user's code raises.
    """
    module, found = find("hypermodel", spec)
    import keras_tuner

    expected = "the name of a function `build(hp)`, or of a `HyperModel` or what gives one"
    if not isinstance(found, keras_tuner.HyperModel) and not callable(found):
        raise bad_type("hypermodel", expected, found)
    if isinstance(found, keras_tuner.HyperModel) or not _without_arguments(found):
        return module, found
    made = call(spec, found)
    if not isinstance(made, keras_tuner.HyperModel):
        raise bad_type(
            "hypermodel", expected, made, f"{spec} takes no arguments, and this is what it gives."
        )
    return module, made


def data(spec: str | None, module: ModuleType) -> dict[str, Any]:
    """Find data.

    Args:
        spec: `MODULE:NAME` of a function; the path of a `.npz` file that holds `x` and `y`, and may
            hold `x_val` and `y_val`; or `None`: the function `data` of the module.
        module: The module of the hypermodel.

    Returns:
        Arguments of `fit`.

    Raises:
        TypeError: If it gives something else.
        ValueError: If there is no such thing, or the user's code raises.
    """
    if spec is not None and spec.endswith(".npz"):
        return _of_file(spec)
    if spec is None:
        found, spec = getattr(module, "data", None), f"{module.__name__}:data"
        if found is None:
            raise bad_value(
                "data", "MODULE:FUNCTION or FILE.npz", None,
                f"Give --data, or write a function `data()` into {module.__name__} that returns "
                f"{_DATA}.",
            )  # fmt: skip
    else:
        _, found = find("data", spec)
    return _arguments(call(spec, found) if callable(found) else found)


def _of_file(path: str) -> dict[str, Any]:
    arrays = load_file("data", path)
    names = sorted(arrays) if isinstance(arrays, dict) else ["one array"]
    if names not in (["x", "y"], ["x", "x_val", "y", "y_val"]):
        raise bad_value("data", "a file with x and y, and perhaps x_val and y_val", names)
    given = {"x": arrays["x"], "y": arrays["y"]}
    if "x_val" in arrays:
        given["validation_data"] = (arrays["x_val"], arrays["y_val"])
    return given


def _arguments(made: Any) -> dict[str, Any]:
    """Give what a user's function returned as arguments of `fit`."""
    if isinstance(made, dict):
        wrong = [one for one in made if not isinstance(one, str) or one in _TAKEN]
        if wrong or "x" not in made:
            raise bad_value("data", f'a dict with "x" and without {_TAKEN}', list(made))
        return dict(made)
    if not isinstance(made, (list, tuple)) or len(made) != 2:
        raise bad_type("data", f"a function that returns {_DATA}", made)
    first, second = made
    if not (isinstance(first, tuple) and isinstance(second, tuple)):
        return {"x": first, "y": second}
    if not 2 <= len(first) <= 3:
        raise bad_type("data", f"a function that returns {_DATA}", made)
    return {
        **dict(zip(("x", "y", "sample_weight"), first, strict=False)), "validation_data": second
    }  # fmt: skip


def _without_arguments(found: Any) -> bool:
    try:
        return inspect.isclass(found) or not inspect.signature(found).parameters
    except (TypeError, ValueError):
        return False
