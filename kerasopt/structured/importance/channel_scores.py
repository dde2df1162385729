"""The scores of all groups by one criterion."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value, one_of
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.structured.importance import measurement
from kerasopt.structured.importance.criteria import CRITERIA, NEEDS_DATA, Known, Scores

Array = NDArray[Any]

_NONE = "With 'bn_scale' a layer needs a BatchNormalization with a scale behind it."


def checked_criterion(criterion: Any) -> Any:
    """Check what names a criterion, or is one.

    Raises:
        TypeError: If it is neither a name nor a function.
        ValueError: If there is none of that name.
    """
    if isinstance(criterion, str):
        return one_of("criterion", criterion, CRITERIA)
    if not callable(criterion):
        raise bad_type("criterion", f"one of {list(CRITERIA)} or a function of a group", criterion)
    return criterion


def scores_of(
    criterion: Any,
    trace: Trace,
    groups: Sequence[Group],
    data: Any = None,
    batches: int = 8,
    seed: int | None = None,
) -> list[Array | None]:
    """Give the score of each channel of each group; `None` for a group that has none.

    Raises:
        ValueError: If it needs data and there are none, if the data do not fit, or if a score is
            not a finite number.
    """
    model = trace.graph.model
    known = [Known(rng=np.random.default_rng(seed))] * len(groups)
    if criterion in NEEDS_DATA:
        found = measurement.read(model, data, batches, criterion == "taylor")
        if criterion == "taylor":
            change = measurement.changes(model, groups, found)
            known = [Known(change=one) for one in change]
        else:
            activity = measurement.activities(model, trace, groups, found)
            known = [Known(activity=one, alive=alive) for one, alive in activity]
    function: Scores
    if isinstance(criterion, str):
        function = CRITERIA[criterion]
    else:
        function = lambda group, _: criterion(group)  # noqa: E731
    scores = [function(one, knows) for one, knows in zip(groups, known, strict=True)]
    if all(score is None for score in scores):
        raise bad_value("criterion", "one that has scores for some layer", criterion, _NONE)
    return [
        None if score is None else _checked(criterion, group, score)
        for group, score in zip(groups, scores, strict=True)
    ]


def _checked(criterion: Any, group: Group, score: Any) -> Array:
    expected = f"one that gives {len(group)} finite numbers for {group.name!r}"
    try:
        found = np.asarray(score, np.float64)
    except (TypeError, ValueError) as error:
        raise bad_value("criterion", expected, criterion, f"It gave {score!r}.") from error
    if found.shape != (len(group),) or not np.isfinite(found).all():
        raise bad_value(
            "criterion",
            expected,
            criterion,
            f"It gave an array of shape {found.shape}, {int((~np.isfinite(found)).sum())} of them "
            "not finite. Are there weights that are NaN or infinite?",
        )
    return found
