"""Trials as a table of text."""

from collections.abc import Sequence
from typing import Any

from kerasopt._text import columns
from kerasopt.tuning.records import Record


def table_of(records: Sequence[Record], goals: Sequence[tuple[str, str]]) -> str:
    """Set trials in a table: objectives, time, hyperparameters.

    Args:
        records: The trials, in the order of the rows.
        goals: Name and direction of each objective.

    Example:
    >>> one = Record("0001", "COMPLETED", {"units": 8}, objectives=(0.9123456,), seconds=2.0)
    >>> print(table_of([one], [("val_accuracy", "max")]))
    trial  state      val_accuracy  seconds  units
    0001   completed        0.91235      2.0      8
    """
    names = list(dict.fromkeys(name for one in records for name in one.values))
    objectives = [name for name, _ in goals]
    rows = [["trial", "state", *objectives, "seconds", *names]]
    for one in records:
        found = one.objectives or (None,) * len(objectives)
        rows.append(
            [
                one.id,
                one.state.lower() + ("" if one.feasible else " (breaks constraints)"),
                *(_shown(value) for value in found),
                "" if one.seconds is None else f"{one.seconds:.1f}",
                *(_shown(one.values.get(name)) for name in names),
            ]
        )
    return columns(rows, right=range(2, len(rows[0])))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
