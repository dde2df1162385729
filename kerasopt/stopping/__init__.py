"""Early stopping: rules that decide, without Keras in them."""

from kerasopt.stopping.combination import AllOf, AnyOf
from kerasopt.stopping.divergence import Divergence
from kerasopt.stopping.extrapolation import Extrapolation
from kerasopt.stopping.generalization_gap import GeneralizationGap
from kerasopt.stopping.generalization_loss import GeneralizationLoss
from kerasopt.stopping.gradient_disparity import GradientDisparity
from kerasopt.stopping.gradient_evidence import GradientEvidence
from kerasopt.stopping.gradients import GradientMoments
from kerasopt.stopping.low_progress import LowProgress
from kerasopt.stopping.monitoring import MonitoringRule
from kerasopt.stopping.non_finite import NonFinite
from kerasopt.stopping.patience import Patience
from kerasopt.stopping.progress_quotient import ProgressQuotient
from kerasopt.stopping.rule import Rule, Verdict
from kerasopt.stopping.serialization import deserialize, serialize
from kerasopt.stopping.slope import Slope
from kerasopt.stopping.threshold import Threshold
from kerasopt.stopping.time_budget import TimeBudget
from kerasopt.stopping.up_strips import UpStrips

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
    "serialize",
]
