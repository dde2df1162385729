"""Rules as plain data and back."""

from collections.abc import Mapping
from typing import Any

from kerasopt import _serialize
from kerasopt._checks import bad_value
from kerasopt.stopping.combination import AllOf, AnyOf, Combination
from kerasopt.stopping.divergence import Divergence
from kerasopt.stopping.extrapolation import Extrapolation
from kerasopt.stopping.generalization_gap import GeneralizationGap
from kerasopt.stopping.generalization_loss import GeneralizationLoss
from kerasopt.stopping.gradient_disparity import GradientDisparity
from kerasopt.stopping.gradient_evidence import GradientEvidence
from kerasopt.stopping.low_progress import LowProgress
from kerasopt.stopping.non_finite import NonFinite
from kerasopt.stopping.patience import Patience
from kerasopt.stopping.progress_quotient import ProgressQuotient
from kerasopt.stopping.rule import Rule
from kerasopt.stopping.slope import Slope
from kerasopt.stopping.threshold import Threshold
from kerasopt.stopping.time_budget import TimeBudget
from kerasopt.stopping.up_strips import UpStrips

_KINDS: dict[str, type[Rule]] = {
    cls.__name__: cls
    for cls in (
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
    )
}


def serialize(rule: Rule) -> dict[str, Any]:
    """Give a rule as plain data: its class name and its configuration."""
    return _serialize.serialize(rule)


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
    name = config.get("class_name") if isinstance(config, Mapping) else None
    cls = {**_KINDS, **(custom_objects or {})}.get(str(name))
    if cls is not None and issubclass(cls, Combination):
        if "rules" not in (config.get("config") or {}):
            raise bad_value("config", "the rules of a combination, as `serialize` gives", config)
        return cls.from_config(config["config"], custom_objects)
    rule: Rule = _serialize.deserialize(config, _KINDS, custom_objects)
    return rule
