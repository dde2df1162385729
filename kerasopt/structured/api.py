"""Removing channels from a model for good."""

from typing import Any

from kerasopt._core.checks import at_least, bad_value, flag, one_of, verbosity, warn_each
from kerasopt._core.messages import tell
from kerasopt.graph import Rewrite
from kerasopt.structured.budget.allocation import SCOPES, chosen, masked
from kerasopt.structured.budget.candidates import candidates
from kerasopt.structured.budget.request import requested
from kerasopt.structured.importance.channel_scores import scores_of
from kerasopt.structured.importance.importance import IMPORTANCES
from kerasopt.structured.importance.measurement import read
from kerasopt.structured.plan import ShrinkPlan


def shrink_plan(
    model: Any,
    *,
    pruning_ratio: Any = None,
    budget: Any = None,
    importance: Any = "l2",
    scope: str = "global",
    data: Any = None,
    batches: int = 8,
    round_to: int = 8,
    include: Any = None,
    exclude: Any = None,
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
    >>> print(shrink_plan(model, pruning_ratio=0.5))
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
    request = requested(pruning_ratio, budget)
    importance = IMPORTANCES.serialize(importance)
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
    if trace.uncounted and "macs" in (request.budget or {}):
        notes.append(f"The MACs of {', '.join(trace.uncounted)} are not counted.")
    if request.masked:
        gone = masked(groups, notes)
    else:
        scores = scores_of(importance, trace, groups, data, batches, seed)
        for group, score in zip(groups, scores, strict=True):
            if score is None:
                apart.update(dict.fromkeys(group.layers, f"has no score by {importance!r}"))
        scored = [(g, s) for g, s in zip(groups, scores, strict=True) if s is not None]
        groups = [group for group, _ in scored]
        known = [score for _, score in scored]
        gone = chosen(trace, groups, known, request, scope, round_to, notes, apart)
    warn_each(notes)
    return ShrinkPlan(trace, groups, gone, apart, notes, data, batches, reconstruct)


def shrink(
    model: Any,
    *,
    pruning_ratio: Any = None,
    budget: Any = None,
    importance: Any = "l2",
    scope: str = "global",
    data: Any = None,
    batches: int = 8,
    round_to: int = 8,
    include: Any = None,
    exclude: Any = None,
    seed: int | None = 0,
    reconstruct: bool = False,
    verbose: int = 0,
) -> Any:
    """Remove units, filters and heads for good: a smaller, ordinary Keras model.

    Channels that are added, multiplied, or taken by the same weights are tied and go together
    (Fang et al., 2023, "DepGraph: Towards Any Structural Pruning"). What cannot be shown to be safe
    stays. The outputs keep their shape, and what stays is computed as before: the new model gives
    what the old one gives when nothing takes the channels that are gone. Fine-tune it.

    Args:
        model: A built Functional or Sequential model, with models nested in it. It never changes.
        pruning_ratio: Float in [0, 1): the fraction of channels that goes; or a dict of layer
            (name, path or wildcard) -> fraction; or `"masked"`: channels that are zero for all who
            take them, as `ChannelPruning` leaves them.
        budget: In place of `pruning_ratio`, what stays at most of `"macs"`, `"params"` or `"bytes"`
            (of all weights): a float in (0, 1] is a fraction of the original, `{"macs": 0.5}`, an
            integer a limit, `{"bytes": 20_000}`; a float alone is of the MACs.
        importance: How important a channel is: `"l1"`, `"l2"`, `"group"` (all weights of a
            channel), `"bn_scale"`, `"taylor"`, `"activation"`, `"apoz"` (these three need `data`),
            `"geometric_median"`, `"random"`, or a function `group -> scores`. Defaults to `"l2"`.
        scope: `"global"`: wherever the scores, as multiples of the mean in their group, are lowest;
            `"layer"`: the same fraction of each. Defaults to `"global"`.
        data: Some of the training data, x or (x, y), or batches; the statistics of batch
            normalization are estimated anew on it. Defaults to `None`.
        batches: How many batches of `data` are read. Defaults to `8`.
        round_to: Integer >= 1: the number of channels that stays is a multiple of it, or all; heads
            of attention are not rounded. Defaults to `8`.
        include: Which layers may lose channels: names, wildcards, classes, functions. Defaults to
            `None`: all.
        exclude: Which may not; what is tied to them may not either. Defaults to `None`.
        seed: Of `"random"`. Defaults to `0`.
        reconstruct: Whether the kernels that took the channels that go make up for them, by least
            squares on `data` (He et al., 2017, "Channel Pruning for Accelerating Very Deep Neural
            Networks"): a better start for the fine-tuning. Else the kept weights are only copied.
            Defaults to `False`.
        verbose: `1` prints a line of which layers were changed, and which nested models were
            copied or are the same objects as before. Defaults to `0`.

    Returns:
        A new model of the same class, with the weights, names and settings of what stays. It is
        compiled if the old one is, with its optimizer's state. Nested models in which nothing
        changes are the same objects, with the same weights as in the old model;
        `kerasopt.graph.Rewrite.of` the new model names them.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `model` has no graph (a subclassed one), if no channel can go, if a name is
            unknown, if a number is out of range, or if `data` do not fit.

    Warns:
        UserWarning: If a budget cannot be kept, or layers stay as they are.

    Example:
    >>> import keras
    >>> model = keras.Sequential([
    ...     keras.Input((28, 28, 1)),
    ...     keras.layers.Conv2D(32, 3, activation="relu", name="conv"),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(10, name="top"),
    ... ])
    >>> shrink(model, pruning_ratio=0.5).get_layer("conv").filters
    16
    """
    verbosity(verbose)
    small = shrink_plan(
        model,
        pruning_ratio=pruning_ratio,
        budget=budget,
        importance=importance,
        scope=scope,
        data=data,
        batches=batches,
        round_to=round_to,
        include=include,
        exclude=exclude,
        seed=seed,
        reconstruct=reconstruct,
    ).apply()  # fmt: skip
    if verbose:
        tell(f"shrink: {Rewrite.of(small)}")
    return small
