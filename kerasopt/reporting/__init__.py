"""Tables and plots of what was measured."""

from typing import TYPE_CHECKING

from kerasopt._core.lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
