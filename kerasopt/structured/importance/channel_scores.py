"""The scores of all groups by one measure of importance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.structured.importance import measurement
from kerasopt.structured.importance.importance import IMPORTANCES, NEEDS_DATA, Known, Scores

Array = NDArray[Any]

_NONE = "With 'bn_scale' a layer needs a BatchNormalization with a scale behind it."


def scores_of(
    importance: Any,
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
    if importance in NEEDS_DATA:
        found = measurement.read(model, data, batches, importance == "taylor")
        if importance == "taylor":
            change = measurement.changes(model, groups, found)
            known = [Known(change=one) for one in change]
        else:
            activity = measurement.activities(model, trace, groups, found)
            known = [Known(activity=one, alive=alive) for one, alive in activity]
    function: Scores
    if isinstance(importance, str):
        function = IMPORTANCES.functions[importance]
    else:
        function = lambda group, _: importance(group)  # noqa: E731
    scores = [function(one, knows) for one, knows in zip(groups, known, strict=True)]
    if all(score is None for score in scores):
        raise bad_value("importance", "one that has scores for some layer", importance, _NONE)
    return [
        None if score is None else _checked(importance, group, score)
        for group, score in zip(groups, scores, strict=True)
    ]


def _checked(importance: Any, group: Group, score: Any) -> Array:
    expected = f"one that gives {len(group)} finite numbers for {group.name!r}"
    try:
        found = np.asarray(score, np.float64)
    except (TypeError, ValueError) as error:
        raise bad_value("importance", expected, importance, f"It gave {score!r}.") from error
    if found.shape != (len(group),) or not np.isfinite(found).all():
        raise bad_value(
            "importance",
            expected,
            importance,
            f"It gave an array of shape {found.shape}, {int((~np.isfinite(found)).sum())} of them "
            "not finite. Are there weights that are NaN or infinite?",
        )
    return found
