"""What targets are for: classes, labels or numbers, how many, and why."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value, one_of
from kerasopt.tuning.hypermodels.feature_statistics import moments, numbers
from kerasopt.tuning.hypermodels.task import TASKS

FEW = 20
"""Up to so many different whole numbers are classes; more must also be 0, 1, 2 ... and frequent."""

_ENCODE = "np.unique(y, return_inverse=True)[1] makes classes of any values."


@dataclass(frozen=True)
class Targets:
    """What targets are for; the first three as in `Task`.

    Attributes:
        task: `"classification"`, `"multi_label"` or `"regression"`.
        outputs: Classes, labels or numbers.
        one_hot: Whether they are one-hot.
        denormalize: Mean and variance by output where the head should give them, or `None`.
        reasons: Why.
    """

    task: str
    outputs: int
    one_hot: bool
    denormalize: dict[str, list[float]] | None
    reasons: tuple[str, ...]


def read_targets(y: Any, task: str | None = None) -> Targets:
    """Look at targets.

    Args:
        y: Array of numbers (n,), (n, 1) or (n, outputs).
        task: What they are for, or `None`: they tell. Defaults to `None`.

    Raises:
        TypeError: If it is no array of numbers.
        ValueError: If its shape is another, all targets are equal, a value is NaN or infinite, or
            they do not suit `task`.

    Example:
    >>> read_targets([0, 1, 2, 0, 1, 2]).task, read_targets([[0.5], [1.5]]).task
    ('classification', 'regression')
    """
    if task is not None:
        one_of("task", task, TASKS)
    array = numbers("y", y)
    if array.ndim > 2:
        advice = "A target of more axes needs a hypermodel of your own."
        raise bad_value("y.shape", "(n,) or (n, outputs)", array.shape, advice)
    table = array.reshape(len(array), -1)
    found = moments("y", table)
    if (found.minimum == found.maximum).all():
        what = f"{len(table)} times {table[0].tolist() if table.shape[1] > 1 else table[0, 0]}"
        raise bad_value("y", "at least two different targets", what)
    if task == "regression":
        return _regression(table, "`task` says what y is")
    if table.shape[1] > 1 or task == "multi_label":
        return _columns(table, task)
    return _single(table[:, 0], task)


def _single(y: NDArray[Any], task: str | None) -> Targets:
    """Look at one target a sample."""
    values, counts = np.unique(y, return_counts=True)
    if not (np.mod(values, 1) == 0).all():
        if task == "classification":
            raise bad_value("task", '"regression", as y has fractions', task)
        return _regression(y[:, None], "y has fractions")
    kinds, low, top = len(values), int(values[0]), int(values[-1])
    frequent = 2 * kinds <= len(y) if kinds <= FEW else 10 * kinds <= len(y)
    in_order = low == 0 and top == kinds - 1
    few = (kinds <= FEW or (in_order and kinds <= 1000)) and frequent
    if task is None and not (few or (in_order and kinds == 2)):
        because = f"y has {kinds} different whole numbers among {len(y)}, too many for classes"
        return _regression(y[:, None], because)
    outputs = top + 1
    if low < 0 or outputs > 2 * kinds + 1:
        advice = f'{_ENCODE} If they are quantities, give `task="regression"`.'
        what = f"{kinds} whole numbers from {low} to {top}"
        raise bad_value("y", "classes as integers from 0 without wide gaps", what, advice)
    reasons = [
        f"y has {kinds} different whole numbers from {low} to {top}: classification, "
        'sparse categorical crossentropy. (If they are quantities, give `task="regression"`.)'
    ]
    if not in_order:
        reasons.append(
            f"Of the {outputs} classes 0 to {top} only {kinds} occur, the others waste outputs: "
            f"{_ENCODE}"
        )
    return Targets(
        "classification", outputs, False, None, (*reasons, *_balance(counts.max() / len(y)))
    )


def _columns(y: NDArray[Any], task: str | None) -> Targets:
    """Look at several targets a sample, or at labels."""
    columns = y.shape[1]
    if not np.isin(y, (0, 1)).all():
        if task is not None:
            expected = '"regression", as y has several columns that are not all 0 and 1'
            raise bad_value("task", expected, task)
        return _regression(y, f"y has {columns} columns of numbers")
    ones = y.sum(axis=1, dtype=np.int64)
    if task != "multi_label" and (ones == 1).all():
        reason = (
            f"y has {columns} columns with a single 1 in each row, one-hot: classification, "
            "categorical crossentropy."
        )
        share = y.sum(axis=0, dtype=np.int64).max() / len(y)
        return Targets("classification", columns, True, None, (reason, *_balance(share)))
    if task == "classification":
        raise bad_value("task", '"multi_label", as rows of y have none or several 1', task)
    reason = (
        f"y has {columns} column{'s' * (columns > 1)} of 0 and 1, {ones.mean():.2g} times 1 in a "
        "row: several labels may hold, each with a sigmoid and binary crossentropy."
    )
    return Targets("multi_label", columns, False, None, (reason,))


def _regression(y: NDArray[Any], because: str) -> Targets:
    found = moments("y", y)
    outputs = y.shape[1]
    several = f" with {outputs} outputs" if outputs > 1 else ""
    reason = f"{because}: regression{several}, mean squared error."
    deviation = np.sqrt(found.variance)
    if (np.abs(found.mean) <= 1.0).all() and ((deviation >= 0.3) & (deviation <= 3.0)).all():
        return Targets("regression", outputs, False, None, (reason,))
    scale = (
        f"Targets lie from {found.minimum.min():.4g} to {found.maximum.max():.4g}: a Normalization "
        "layer behind the head turns numbers around 0 into these."
    )
    return Targets("regression", outputs, False, found.standard, (reason, scale))


def _balance(share: float) -> tuple[str, ...]:
    if share < 0.8:
        return ()
    return (
        f"{share:.0%} of the samples are of one class, so always saying that one has an accuracy "
        f"of {share:.2f}: think of `class_weight`, or of val_loss as the objective.",
    )
