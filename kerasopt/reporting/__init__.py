"""Tables and plots of what was measured."""

from kerasopt.reporting.export import plot_export
from kerasopt.reporting.plots import plot_history
from kerasopt.reporting.sensitivity import plot_sensitivity
from kerasopt.reporting.sparsity import plot_sparsity
from kerasopt.reporting.tables import table

__all__ = ["plot_export", "plot_history", "plot_sensitivity", "plot_sparsity", "table"]
