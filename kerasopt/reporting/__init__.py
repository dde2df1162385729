"""Tables and plots of what was measured."""

from kerasopt.reporting.plots import plot_history
from kerasopt.reporting.tables import table

__all__ = ["plot_history", "table"]
