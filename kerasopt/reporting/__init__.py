"""Tables and plots of what was measured."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasopt.reporting.export import plot_export
    from kerasopt.reporting.plots import plot_history
    from kerasopt.reporting.sensitivity import plot_sensitivity
    from kerasopt.reporting.sparsity import plot_sparsity
    from kerasopt.reporting.tables import table

# A table of files needs no Keras, which some of the plots import.
_HOMES = {
    "plot_export": "export",
    "plot_history": "plots",
    "plot_sensitivity": "sensitivity",
    "plot_sparsity": "sparsity",
    "table": "tables",
}

__all__ = ["plot_export", "plot_history", "plot_sensitivity", "plot_sparsity", "table"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"kerasopt.reporting.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasopt.reporting' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
