"""What goes: from scores and what the user wants, within units that may go."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.channels.choosing import Choice, reach, unit_of
from kerasopt.pruning.channels.cost import Costs
from kerasopt.pruning.channels.groups import Group
from kerasopt.pruning.channels.masked import dead, half_dead
from kerasopt.pruning.channels.picking import Wanted, ratios
from kerasopt.pruning.channels.trace import Trace

SCOPES = ("global", "layer")


def chosen(
    trace: Trace,
    groups: Sequence[Group],
    scores: Sequence[NDArray[Any]],
    want: Wanted,
    scope: str,
    round_to: int,
    notes: list[str],
    apart: Mapping[str, str],
) -> list[NDArray[np.bool_]]:
    """Give for each group which channels go, and add to `notes` what is to be said of it."""
    grains = [one.grain for one in groups]
    units = [unit_of(round_to, one.grain, one.is_heads) for one in groups]
    choice = Choice(scores, grains, units)
    by_ratio = choice.everywhere if scope == "global" else choice.layer
    if want.by_layer is not None:
        shares = ratios(trace.graph.model, groups, want.by_layer, apart)
        counts = choice.layer(shares)
        _say_what_stays(groups, counts, shares, round_to, notes)
    elif want.target is not None:
        counts = _to_target(trace, groups, choice, scope, want.target, notes)
    else:
        assert want.ratio is not None
        counts = by_ratio(want.ratio)
        if scope == "layer":
            _say_what_stays(groups, counts, [want.ratio] * len(groups), round_to, notes)
        elif (counts == choice.most).all() and counts @ grains < want.ratio * choice.whole:
            share = counts @ grains / choice.whole
            notes.append(
                f"Of the channels {share:.3f} go instead of {want.ratio:.3g}: at least "
                f"round_to={round_to} of each layer stay, or all where it has no more."
            )
    return choice.gone(counts)


def _to_target(
    trace: Trace, groups: Sequence[Group], choice: Choice, scope: str,
    target: Mapping[str, float], notes: list[str],
) -> NDArray[np.int64]:  # fmt: skip
    costs = Costs(trace, groups)
    whole = costs.of(peak=False)

    def cost(counts: NDArray[np.int64]) -> float:
        found = costs.of(counts, peak=False)
        parts = [
            getattr(found, name) / max(getattr(whole, name), 1) / part
            for name, part in target.items()
        ]
        return float(max(parts))

    evenly = scope == "layer"
    counts, reached = reach(choice.layer if evenly else choice.everywhere, cost, 1.0)
    if reached:
        return choice.given_back(counts, lambda less: cost(less) <= 1.0, evenly)
    found = costs.of(counts, peak=False)
    parts = ", ".join(
        f"{getattr(found, name) / max(getattr(whole, name), 1):.3f} of the {name}"
        for name in target
    )
    notes.append(
        f"The target {dict(target)} cannot be reached: with as few channels as may stay, the "
        f"model has {parts}. A smaller `round_to` leaves fewer."
    )
    return counts


def _say_what_stays(
    groups: Sequence[Group],
    counts: NDArray[np.int64],
    shares: Sequence[float],
    round_to: int,
    notes: list[str],
) -> None:
    """Say which layers lose nothing, because they would have no whole `round_to` channels left."""
    whole = [
        one.name
        for one, count, share in zip(groups, counts, shares, strict=True)
        if not count and share > 0
    ]
    if whole:
        notes.append(
            f"These keep all their channels, as what stays is a multiple of round_to={round_to}: "
            f"{', '.join(whole)}."
        )


def masked(groups: Sequence[Group], notes: list[str]) -> list[NDArray[np.bool_]]:
    """Give for each group the channels that nothing takes, of which at least one stays."""
    gone = [dead(one) for one in groups]
    for mask in gone:
        if mask.all():
            mask[0] = False  # at least one stays
    half = half_dead(groups)
    if half:
        notes.append(
            f"Channels of {', '.join(half)} have kernels of zeros, but are still taken by the "
            "layers behind them (a bias, an offset or an activation may make them something): they "
            "stay. `ChannelPruning` masks both sides."
        )
    return gone
