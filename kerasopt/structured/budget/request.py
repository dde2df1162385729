"""What the user wants to go: which layers, how much of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, did_you_mean, fraction, is_real, meant_share
from kerasopt.dependency.groups import Group
from kerasopt.selection import matching, reasons, walk

METRICS = {"macs": "macs", "params": "parameters", "bytes": "weight_bytes"}


@dataclass(frozen=True)
class Wanted:
    """How much is to go: one of these.

    Attributes:
        ratio: Fraction of the channels that goes, or `None`.
        by_layer: Name of a layer -> fraction of its channels, or `None`.
        target: Name in `Cost` -> fraction of it that stays at most, or `None`.
        masked: Whether what is zero already goes.
    """

    ratio: float | None = None
    by_layer: Mapping[str, float] | None = None
    target: Mapping[str, float] | None = None
    masked: bool = False


def wanted(ratio: Any, target: Any) -> Wanted:
    """Check `ratio` and `target`.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If there are both or neither, or a number is out of range.
    """
    if (ratio is None) == (target is None):
        raise bad_value(
            "ratio", "either `ratio` or `target`", ratio, f"target={target!r} was given."
        )
    if target is not None:
        return Wanted(target=_target(target))
    if isinstance(ratio, str):
        if ratio != "masked":
            form = "a float in [0, 1), a dict of layer -> float, or 'masked'"
            advice = meant_share(ratio) or did_you_mean(ratio, ["masked"])
            raise bad_value("ratio", form, ratio, advice)
        return Wanted(masked=True)
    if isinstance(ratio, Mapping) and not ratio:
        raise bad_value("ratio", "a dict that names a layer", ratio)
    if isinstance(ratio, Mapping):
        return Wanted(
            by_layer={name: fraction(f"ratio[{name!r}]", one) for name, one in ratio.items()}
        )
    return Wanted(ratio=fraction("ratio", ratio))


def _target(target: Any) -> dict[str, float]:
    form = f"a dict such as {{'macs': 0.5}}, of {list(METRICS)}, or a float: the MACs"
    if isinstance(target, Mapping):
        unknown = [name for name in target if name not in METRICS]
        if unknown or not target:
            advice = did_you_mean(unknown[0], METRICS) if unknown else ""
            raise bad_value("target", form, target, advice)
        found = dict(target)
    elif is_real(target):
        found = {"macs": target}
    else:
        raise bad_type("target", form, target, meant_share(target))
    for value in found.values():
        if not is_real(value) or not 0.0 < float(value) <= 1.0:
            advice = meant_share(value)
            raise bad_value("target", f"{form}, in (0, 1]: what stays of it", target, advice)
    return {METRICS[name]: float(value) for name, value in found.items()}


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
    named = {name: matching(model, "ratio", name) for name in by_layer}
    may = set().union(*(_inside(owner) for one in groups for owner in one.owners))
    for name, layers in named.items():
        if not layers & may:
            why = reasons(left_out) or "they make no channels"
            raise bad_value("ratio", f"layers that can lose channels, not {name!r}", dict(by_layer),
                            f"Left alone: {why}.")  # fmt: skip
    found = []
    for group in groups:
        ids = set().union(*(_inside(owner) for owner in group.owners))
        wants = {by_layer[name] for name, layers in named.items() if ids & layers}
        if len(wants) > 1:
            raise bad_value(
                "ratio",
                f"the same ratio for {group.name}, which are tied",
                dict(by_layer),
                "Their channels are added, or taken by the same layer.",
            )
        found.append(wants.pop() if wants else 0.0)
    return found


def _inside(owner: Any) -> set[int]:
    return {id(owner), *(id(layer) for _, layer in walk(owner))}
