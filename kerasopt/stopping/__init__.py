"""Early stopping: rules that decide, without Keras in them."""

from kerasopt.stopping.patience import Patience
from kerasopt.stopping.rule import MonitoringRule, Rule, Verdict

__all__ = ["MonitoringRule", "Patience", "Rule", "Verdict"]
