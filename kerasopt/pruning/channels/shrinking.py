"""Removing channels from a model for good."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import at_least, bad_value, flag, one_of
from kerasopt.pruning.channels.candidates import candidates
from kerasopt.pruning.channels.choosing import Choice, reach, unit_of
from kerasopt.pruning.channels.cost import Costs
from kerasopt.pruning.channels.groups import Group
from kerasopt.pruning.channels.masked import dead, half_dead
from kerasopt.pruning.channels.measuring import read
from kerasopt.pruning.channels.picking import Wanted, ratios, wanted
from kerasopt.pruning.channels.plan import ShrinkPlan
from kerasopt.pruning.channels.scoring import checked_criterion, scores_of
from kerasopt.pruning.channels.trace import Trace

SCOPES = ("global", "layer")


def shrink_plan(
    model: Any,
    ratio: Any = None,
    target: Any = None,
    criterion: Any = "l2",
    scope: str = "global",
    data: Any = None,
    round_to: int = 8,
    include: Any = None,
    exclude: Any = None,
    batches: int = 8,
    seed: int | None = 0,
    reconstruct: bool = False,
) -> ShrinkPlan:
    """Show what `shrink` would do, before anything is done.

    Takes the arguments of `shrink`, and raises what it raises.

    Returns:
        A `ShrinkPlan`: printed, a table of tied layers before and after, and what the model costs;
        `plan.apply()` gives the smaller model.

    Example:
    >>> import keras
    >>> model = keras.Sequential([
    ...     keras.Input((8,)),
    ...     keras.layers.Dense(32, activation="relu", name="hidden"),
    ...     keras.layers.Dense(3, name="top"),
    ... ])
    >>> print(shrink_plan(model, 0.5))
    channels of  before  after
    hidden           32     16
    <BLANKLINE>
                            before  after   of it
    parameters                 387    195  50.4 %
    MACs                       352    176  50.0 %
    peak activation, bytes     160     96  60.0 %
    <BLANKLINE>
    Left alone: top (gives an output of the model).
    """
    want = wanted(ratio, target)
    criterion = checked_criterion(criterion)
    one_of("scope", scope, SCOPES)
    at_least("round_to", round_to, 1)
    at_least("batches", batches, 1)
    if flag("reconstruct", reconstruct) and data is None:
        raise bad_value("data", "some of the training data, as `reconstruct=True` needs them", data,
                        "Give `data=x[:512]`.")  # fmt: skip
    found = candidates(model, include, exclude)
    trace, groups, apart = found.trace, found.groups, found.left_out
    if data is not None:
        read(model, data, batches)  # what does not fit is said first
    notes: list[str] = []
    if trace.uncounted and "macs" in (want.target or {}):
        notes.append(f"The MACs of {', '.join(trace.uncounted)} are not counted.")
    if want.masked:
        gone = _masked(groups, notes)
    else:
        scores = scores_of(criterion, trace, groups, data, batches, seed)
        for group, score in zip(groups, scores, strict=True):
            if score is None:
                apart.update(dict.fromkeys(group.layers, f"has no score by {criterion!r}"))
        scored = [(g, s) for g, s in zip(groups, scores, strict=True) if s is not None]
        groups = [group for group, _ in scored]
        known = [score for _, score in scored]
        gone = _chosen(trace, groups, known, want, scope, round_to, notes, apart)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return ShrinkPlan(trace, groups, gone, apart, notes, data, batches, reconstruct)


def _chosen(
    trace: Trace,
    groups: Sequence[Group],
    scores: Sequence[NDArray[Any]],
    want: Wanted,
    scope: str,
    round_to: int,
    notes: list[str],
    apart: Mapping[str, str],
) -> list[NDArray[np.bool_]]:
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


def _masked(groups: Sequence[Group], notes: list[str]) -> list[NDArray[np.bool_]]:
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


def shrink(
    model: Any,
    ratio: Any = None,
    target: Any = None,
    criterion: Any = "l2",
    scope: str = "global",
    data: Any = None,
    round_to: int = 8,
    include: Any = None,
    exclude: Any = None,
    batches: int = 8,
    seed: int | None = 0,
    reconstruct: bool = False,
) -> Any:
    """Remove units, filters and heads for good: a smaller, ordinary Keras model.

    Channels that are added, multiplied, or taken by the same weights are tied and go together
    (Fang et al., 2023, "DepGraph: Towards Any Structural Pruning"). What cannot be shown to be safe
    stays. The outputs keep their shape, and what stays is computed as before: the new model gives
    what the old one gives when nothing takes the channels that are gone. Fine-tune it.

    Args:
        model: A built Functional or Sequential model, with models nested in it. It never changes.
        ratio: Float in [0, 1): the fraction of channels that goes; or a dict of layer (name, path
            or wildcard) -> fraction; or `"masked"`: channels that are zero for all who take them,
            as `ChannelPruning` leaves them.
        target: In place of `ratio`, the fraction that stays at most: `{"macs": 0.5}`, or of
            `"params"` or `"bytes"`; a float is of the MACs.
        criterion: What is unimportant: `"l1"`, `"l2"`, `"group"` (all weights of a channel),
            `"bn_scale"`, `"taylor"`, `"activation"`, `"apoz"` (these three need `data`),
            `"geometric_median"`, `"random"`, or a function `group -> scores`. Defaults to `"l2"`.
        scope: `"global"`: wherever the scores, as multiples of the mean in their group, are lowest;
            `"layer"`: the same fraction of each. Defaults to `"global"`.
        data: Some of the training data, x or (x, y), or batches; the statistics of batch
            normalization are estimated anew on it. Defaults to `None`.
        round_to: Integer >= 1: the number of channels that stays is a multiple of it, or all; heads
            of attention are not rounded. Defaults to `8`.
        include: Which layers may lose channels: names, wildcards, classes, functions. Defaults to
            `None`: all.
        exclude: Which may not; what is tied to them may not either. Defaults to `None`.
        batches: How many batches of `data` are read. Defaults to `8`.
        seed: Of `"random"`. Defaults to `0`.
        reconstruct: Whether the kernels that took the channels that go make up for them, by least
            squares on `data` (He et al., 2017, "Channel Pruning for Accelerating Very Deep Neural
            Networks"): a better start for the fine-tuning. Else the kept weights are only copied.
            Defaults to `False`.

    Returns:
        A new model of the same class, with the weights, names and settings of what stays. It is
        compiled if the old one is, with its optimizer's state.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `model` has no graph (a subclassed one), if no channel can go, if a name is
            unknown, if a number is out of range, or if `data` do not fit.

    Warns:
        UserWarning: If a target cannot be reached, or layers stay as they are.

    Example:
    >>> import keras
    >>> model = keras.Sequential([
    ...     keras.Input((28, 28, 1)),
    ...     keras.layers.Conv2D(32, 3, activation="relu", name="conv"),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(10, name="top"),
    ... ])
    >>> shrink(model, 0.5).get_layer("conv").filters
    16
    """
    return shrink_plan(
        model, ratio, target, criterion, scope, data, round_to, include, exclude, batches, seed,
        reconstruct,
    ).apply()  # fmt: skip
