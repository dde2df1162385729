"""What has to be installed for some modes."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kerasopt.export.modes import MODES

# One package: ai-edge-quantizer is litert-quantizer since 0.11, and both may be there.
_QUANTIZERS = ("litert_quantizer", "ai_edge_quantizer")


def quantizer_name() -> str | None:
    """Give the name by which the quantizer of float files is imported; `None` if there is none."""
    return next((name for name in _QUANTIZERS if find_spec(name) is not None), None)


def quantizer_modules() -> tuple[Any, Any]:
    """Give its modules `qtyping` and `quantizer`.

    Raises:
        ImportError: If it is not installed.
    """
    name = quantizer_name()
    if name is None:
        raise ImportError(_HOW)
    return import_module(f"{name}.qtyping"), import_module(f"{name}.quantizer")


def require_quantizer(mode: str) -> None:
    """Say before anything is converted that a mode needs a package that is not there.

    Raises:
        ImportError: If so.
    """
    if MODES[mode].quantizer and quantizer_name() is None:
        raise ImportError(f"mode={mode!r} needs {_HOW}")


_HOW = (
    "ai-edge-quantizer, or litert-quantizer as it is called since 0.11: "
    "pip install 'kerasopt[int4]'."
)
