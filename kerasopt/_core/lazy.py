"""Names of a package that are imported when they are first used."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and the `__dir__` of a package whose names lie in its modules.

    Args:
        package: The package's `__name__`.
        homes: Name -> the module that has it, relative to the package. An empty module says that
            the name is a module itself.

    Returns:
        The two functions.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        if not home:
            return import_module(f"{package}.{name}")
        return getattr(import_module(f"{package}.{home}"), name)

    def names() -> list[str]:
        dunders = [name for name in vars(sys.modules[package]) if name.startswith("__")]
        return sorted({*homes, *dunders})

    return get, names
