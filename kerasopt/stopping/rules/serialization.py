"""Rules as plain data and back."""

from collections.abc import Mapping
from typing import Any

from kerasopt._core import serialization
from kerasopt._core.checks import bad_value
from kerasopt.stopping.rules.combination import AllOf, AnyOf, Combination
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
    return serialization.serialize(rule)


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
    rule: Rule = serialization.deserialize(config, _KINDS, custom_objects)
    return rule
