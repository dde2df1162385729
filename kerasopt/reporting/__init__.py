"""Tables and plots of what was measured."""

from kerasopt.reporting.plots import plot_history
from kerasopt.reporting.sparsity import plot_sparsity
from kerasopt.reporting.tables import table

__all__ = ["plot_history", "plot_sparsity", "table"]
