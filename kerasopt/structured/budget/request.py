"""What is asked of a structured pruning: which layers, how much of each, what budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasopt._core.checks import (
    bad_type,
    bad_value,
    did_you_mean,
    fraction,
    is_integer,
    is_real,
    meant_share,
)
from kerasopt.dependency.groups import Group
from kerasopt.selection import matching, reasons, walk

METRICS = {"macs": "macs", "params": "parameters", "bytes": "weight_bytes"}


@dataclass(frozen=True)
class Request:
    """How much is to go: one of these.

    Attributes:
        pruning_ratio: Fraction of the channels that goes, or `None`.
        by_layer: Name of a layer -> fraction of its channels, or `None`.
        budget: Name in `Cost` -> what stays of it at most, or `None`: a float is a fraction of the
            original, an integer a limit.
        masked: Whether what is zero already goes.
    """

    pruning_ratio: float | None = None
    by_layer: Mapping[str, float] | None = None
    budget: Mapping[str, float | int] | None = None
    masked: bool = False


def requested(pruning_ratio: Any, budget: Any) -> Request:
    """Check `pruning_ratio` and `budget`.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If there are both or neither, or a number is out of range.
    """
    ratio = pruning_ratio
    if (ratio is None) == (budget is None):
        form = "either `pruning_ratio` or `budget`"
        raise bad_value("pruning_ratio", form, ratio, f"budget={budget!r} was given.")
    if budget is not None:
        return Request(budget=_budget(budget))
    if isinstance(ratio, str):
        if ratio != "masked":
            form = "a float in [0, 1), a dict of layer -> float, or 'masked'"
            advice = meant_share(ratio) or did_you_mean(ratio, ["masked"])
            raise bad_value("pruning_ratio", form, ratio, advice)
        return Request(masked=True)
    if isinstance(ratio, Mapping) and not ratio:
        raise bad_value("pruning_ratio", "a dict that names a layer", ratio)
    if isinstance(ratio, Mapping):
        shares = {name: fraction(f"pruning_ratio[{name!r}]", one) for name, one in ratio.items()}
        return Request(by_layer=shares)
    return Request(pruning_ratio=fraction("pruning_ratio", ratio))


def _budget(budget: Any) -> dict[str, float | int]:
    form = (
        f"a dict such as {{'macs': 0.5}} or {{'bytes': 20_000}}, of {list(METRICS)}, "
        "or a float: of the MACs"
    )
    if isinstance(budget, Mapping):
        unknown = [name for name in budget if name not in METRICS]
        if unknown or not budget:
            advice = did_you_mean(unknown[0], METRICS) if unknown else ""
            raise bad_value("budget", form, budget, advice)
        found = dict(budget)
    elif is_real(budget) and not is_integer(budget):
        found = {"macs": budget}
    else:
        raise bad_type("budget", form, budget, meant_share(budget))
    limits: dict[str, float | int] = {}
    for name, value in found.items():
        if is_integer(value) and int(value) >= 1:
            limits[METRICS[name]] = int(value)
        elif is_real(value) and not is_integer(value) and 0.0 < float(value) <= 1.0:
            limits[METRICS[name]] = float(value)
        else:
            what = f"{form}; a float in (0, 1] is the part that stays, an integer >= 1 a limit"
            advice = "" if is_integer(value) else meant_share(value)  # 0 of it is no share
            raise bad_value("budget", what, budget, advice)
    return limits


def chosen(
    model: Any, groups: Sequence[Group], include: Any, exclude: Any
) -> tuple[list[Group], dict[str, str]]:
    """Leave out groups that hold a layer that is not to lose channels.

    Returns:
        The others, and by layer why it was left out.
    """
    held: dict[str, str] = {}
    wants = None if include is None else matching(model, "include", include)
    leaves = set() if exclude is None else matching(model, "exclude", exclude)
    kept = []
    for group in groups:
        ids = [_inside(owner) for owner in group.owners]
        barred = [one for one in ids if one & leaves]
        missing = [one for one in ids if wants is not None and not one & wants]
        if not barred and not missing:
            kept.append(group)
            continue
        why = "excluded" if barred else "not included"
        tied = "" if len(ids) == 1 else f", or tied to what is: {group.name}"
        held.update(dict.fromkeys(group.layers, why + tied))
    return kept, held


def ratios(
    model: Any,
    groups: Sequence[Group],
    by_layer: Mapping[str, float],
    left_out: Mapping[str, str],
) -> list[float]:
    """Give the fraction of each group, by the names of its layers; 0 where none is named.

    Raises:
        ValueError: If a name matches no layer, or none that can lose channels, or tied layers are
            to lose different fractions.
    """
    named = {name: matching(model, "pruning_ratio", name) for name in by_layer}
    may = set().union(*(_inside(owner) for one in groups for owner in one.owners))
    for name, layers in named.items():
        if not layers & may:
            why = reasons(left_out) or "they make no channels"
            expected = f"layers that can lose channels, not {name!r}"
            raise bad_value("pruning_ratio", expected, dict(by_layer), f"Left alone: {why}.")
    found = []
    for group in groups:
        ids = set().union(*(_inside(owner) for owner in group.owners))
        wants = {by_layer[name] for name, layers in named.items() if ids & layers}
        if len(wants) > 1:
            raise bad_value(
                "pruning_ratio",
                f"the same ratio for {group.name}, which are tied",
                dict(by_layer),
                "Their channels are added, or taken by the same layer.",
            )
        found.append(wants.pop() if wants else 0.0)
    return found


def _inside(owner: Any) -> set[int]:
    return {id(owner), *(id(layer) for _, layer in walk(owner))}
