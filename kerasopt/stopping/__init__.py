"""Early stopping: rules that decide, without Keras in them."""

from kerasopt.stopping.rules.combination import AllOf, AnyOf
from kerasopt.stopping.rules.divergence import Divergence, NonFinite
from kerasopt.stopping.rules.extrapolation import Extrapolation
from kerasopt.stopping.rules.generalization_gap import GeneralizationGap
from kerasopt.stopping.rules.gradient_rules import (
    GradientDisparity,
    GradientEvidence,
    GradientMoments,
)
from kerasopt.stopping.rules.monitor import MonitoringRule
from kerasopt.stopping.rules.patience import Patience
from kerasopt.stopping.rules.prechelt import (
    GeneralizationLoss,
    LowProgress,
    ProgressQuotient,
    UpStrips,
)
from kerasopt.stopping.rules.rule import Rule, Verdict
from kerasopt.stopping.rules.serialization import deserialize, get, serialize
from kerasopt.stopping.rules.slope import Slope
from kerasopt.stopping.rules.threshold import Threshold
from kerasopt.stopping.rules.time_budget import TimeBudget

__all__ = [
    "AllOf",
    "AnyOf",
    "Divergence",
    "Extrapolation",
    "GeneralizationGap",
    "GeneralizationLoss",
    "GradientDisparity",
    "GradientEvidence",
    "GradientMoments",
    "LowProgress",
    "MonitoringRule",
    "NonFinite",
    "Patience",
    "ProgressQuotient",
    "Rule",
    "Slope",
    "Threshold",
    "TimeBudget",
    "UpStrips",
    "Verdict",
    "deserialize",
    "get",
    "serialize",
]
