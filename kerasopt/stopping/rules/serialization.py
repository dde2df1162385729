"""Rules by name, as plain data and back."""

from collections.abc import Mapping
from typing import Any

from kerasopt._core.registry import Registry
from kerasopt.stopping.rules.combination import AllOf, AnyOf
from kerasopt.stopping.rules.divergence import Divergence, NonFinite
from kerasopt.stopping.rules.extrapolation import Extrapolation
from kerasopt.stopping.rules.generalization_gap import GeneralizationGap
from kerasopt.stopping.rules.gradient_rules import GradientDisparity, GradientEvidence
from kerasopt.stopping.rules.patience import Patience
from kerasopt.stopping.rules.prechelt import (
    GeneralizationLoss,
    LowProgress,
    ProgressQuotient,
    UpStrips,
)
from kerasopt.stopping.rules.rule import Rule
from kerasopt.stopping.rules.slope import Slope
from kerasopt.stopping.rules.threshold import Threshold
from kerasopt.stopping.rules.time_budget import TimeBudget

RULES: Registry[Rule] = Registry(
    "rule",
    Rule,
    (
        AllOf,
        AnyOf,
        Divergence,
        Extrapolation,
        GeneralizationGap,
        GeneralizationLoss,
        GradientDisparity,
        GradientEvidence,
        LowProgress,
        NonFinite,
        Patience,
        ProgressQuotient,
        Slope,
        Threshold,
        TimeBudget,
        UpStrips,
    ),
    {  # those that need no argument; Divergence and GeneralizationGap need one of two
        "extrapolation": Extrapolation,
        "generalization_loss": GeneralizationLoss,
        "gradient_disparity": GradientDisparity,
        "gradient_evidence": GradientEvidence,
        "low_progress": LowProgress,
        "non_finite": NonFinite,
        "patience": Patience,
        "progress_quotient": ProgressQuotient,
        "slope": Slope,
        "up_strips": UpStrips,
    },
)
serialize = RULES.serialize


def get(value: Any, custom_objects: Mapping[str, type[Rule]] | None = None) -> Rule:
    """Give the rule that `value` is, names or describes.

    Args:
        value: A rule, the name of one that needs no arguments, or what `serialize` gave.
        custom_objects: Rule classes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known, or the class needs arguments.

    Example:
    >>> get("non_finite"), get("Slope")  # doctest: +ELLIPSIS
    (NonFinite(monitor=None), Slope(window=10, ...))
    """
    return RULES.get(value, custom_objects)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Rule]] | None = None
) -> Rule:
    """Make a rule from what `serialize` gave.

    Args:
        config: Dict with `class_name` and `config`.
        custom_objects: Rule classes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If `config` is no dict.
        ValueError: If the class is unknown.

    Example:
    >>> from kerasopt.stopping import Patience, TimeBudget
    >>> deserialize(serialize(Patience(5) | TimeBudget("01:00:00")))  # doctest: +ELLIPSIS
    AnyOf(rules=[Patience(patience=5, ...), TimeBudget(budget=3600.0)])
    """
    return RULES.deserialize(config, custom_objects)
