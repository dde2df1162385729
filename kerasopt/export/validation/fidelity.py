"""What an output keeps of the Keras model's, about its mean and entry by entry: numbers only."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CLASSES = ("distribution", "classes")
"""Kinds of outputs of which the largest entry says the class."""

_CONSTANT = 1e-6
# A unit that hardly ever answers has little to keep.
_MOSTLY = 0.9
# A hundredth of a probability decides nothing, and int8 has steps of 0.004.
_TOLERANCE = 0.02
_SUM = 0.03
# Logits of one layer have spreads of one size; a score beside the corner of a box does not.
_ONE_SCALE = 0.1
_SAME_LENGTH = 1e-3
# Of larger outputs, evenly spread positions tell as much.
_MOST = 8_000_000


class Limits(NamedTuple):
    """What a quantized output can hold.

    Attributes:
        low: Its lowest number.
        high: Its highest number.
        step: From one number to the next.
    """

    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Entry:
    """How one entry of an output's last axis compares with the Keras model's.

    Attributes:
        index: Its position there; `None` where the output is one number.
        variance: Share of Keras's variance that it keeps, at most 1; 0 is what a constant keeps.
        distinct: How many different numbers the file gives.
        keras_distinct: How many the Keras model gives.
        saturated: Share of its values that stand at an end of what the file can hold, where the
            Keras model goes beyond it.
        spread: Standard deviation of the Keras model's numbers.
    """

    index: int | None
    variance: float
    distinct: int
    keras_distinct: int
    saturated: float
    spread: float


@dataclass(frozen=True)
class Fidelity:
    """What an output keeps of the Keras model's.

    Attributes:
        kind: `"distribution"` (softmax), `"probabilities"` (all of it in [0, 1]), `"classes"`
            (logits), or `"values"`, also of rows that all have one length.
        variance: Share of the variance of all entries together that is kept; `None` if nothing
            varies.
        shares: Of the entries that count, what each keeps.
        worst: The one that keeps least, or `None` if none counts.
        agreement: Of classes, by how much the arg-max is the same more often than by chance, at
            most 1 (Cohen's kappa); else, or if nine in ten are of one class, `None`.
        positions: Number of values of each entry.
        step: From one number of the file's output to the next, or `None`.
    """

    kind: str
    variance: float | None
    shares: tuple[float, ...]
    worst: Entry | None
    agreement: float | None
    positions: int
    step: float | None = None

    def below(self, share: float) -> int:
        """Count the entries that keep less than a share."""
        return sum(one < share for one in self.shares)


def variance_kept(
    reference: NDArray[np.float64], actual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the share of its variance that each column keeps.

    1 - mean((actual - reference)^2) / var(reference), as R2 is of predictions; not a number for a
    column that is constant.

    Args:
        reference: What is right, shape `(rows, columns)`.
        actual: What came, of the same shape.

    Returns:
        Array of shape `(columns,)`.

    Example:
    >>> right = np.array([[1000.0, 0.0], [1010.0, 1.0]])
    >>> variance_kept(right, np.array([[1000.0, 0.5], [1010.0, 0.5]]))
    array([1., 0.])
    """
    spread = reference.var(0)
    constant = spread <= (_CONSTANT * np.abs(reference).max(0, initial=0.0)) ** 2
    noise = np.square(actual - reference).mean(0)
    kept: NDArray[np.float64] = 1.0 - noise / np.where(constant, np.nan, spread)
    return kept


def fidelity(
    reference: NDArray[np.generic], actual: NDArray[np.generic], limits: Limits | None = None
) -> Fidelity:
    """Judge an output about its mean, and each entry of its last axis by itself.

    All other axes are positions: of a map of classes, the pixels. Entries that are constant in the
    Keras model, or the same number in nine of ten positions, do not count; nor do those of
    probabilities that are less than 0.02 off. Rows with numbers that are not finite are left out.

    Args:
        reference: The Keras model's output, samples first.
        actual: The file's, of the same shape.
        limits: What the file's output can hold. Defaults to `None`: not known, or a float.

    Example:
    >>> right = np.stack([np.linspace(1000, 1020, 50), np.linspace(-1, 1, 50)], 1)
    >>> found = fidelity(right, np.round(right / 4) * 4)
    >>> found.kind, found.worst.index, found.worst.distinct, found.worst.keras_distinct
    ('values', 1, 1, 50)
    """
    right, came = _rows(reference), _rows(actual)
    finite = np.isfinite(right).all(1) & np.isfinite(came).all(1)
    right, came = right[finite], came[finite]
    step = limits.step if limits else None
    if len(right) < 2:
        return Fidelity("values", None, (), None, None, len(right), step)
    kind = _kind(right)
    kept = variance_kept(right, came)
    total = float(right.var(0).sum())
    varies = not np.isnan(kept).all()
    pooled = 1.0 - float(np.square(came - right).mean(0).sum()) / total if varies else None
    if kind in ("distribution", "probabilities"):
        off = np.sqrt(np.square(came - right).mean(0))
        if kind == "probabilities" and right.shape[1] == 1:
            off += np.inf  # one number has no other to be weighed against
        kept = np.where(off <= _TOLERANCE, np.fmax(kept, 1.0 - off / _TOLERANCE * 0.05), kept)
    counting = np.flatnonzero(~np.isnan(kept) & ~_mostly_constant(right))
    worst = None
    if len(counting):
        column = int(counting[kept[counting].argmin()])
        worst = _entry(column, float(kept[column]), right[:, column], came[:, column], limits)
        if right.shape[1] == 1:
            worst = Entry(None, *[getattr(worst, name) for name in list(vars(worst))[1:]])
    classes = kind in CLASSES
    return Fidelity(
        kind=kind,
        variance=pooled,
        shares=tuple(map(float, kept[counting])),
        worst=worst,
        agreement=_alike(right.argmax(1), came.argmax(1)) if classes else None,
        positions=len(right),
        step=step,
    )


def kappa(reference: NDArray[np.integer], actual: NDArray[np.integer]) -> float:
    """Give by how much classes agree more often than by chance (Cohen's kappa).

    Args:
        reference: One class each.
        actual: Likewise.

    Returns:
        1 if all are the same, 0 for what chance gives.

    Example:
    >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    0.5
    """
    size = int(max(reference.max(), actual.max())) + 1
    shares = [np.bincount(one, minlength=size) / len(one) for one in (reference, actual)]
    chance = float(shares[0] @ shares[1])
    same = float(np.mean(reference == actual))
    return 1.0 if same == 1.0 else (same - chance) / (1.0 - chance)


def _alike(right: NDArray[np.integer], came: NDArray[np.integer]) -> float | None:
    """Give kappa, unless nearly all are of one class: a few others decide it then."""
    return None if np.bincount(right).max() > _MOSTLY * len(right) else kappa(right, came)


def _rows(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Give positions x entries; of an output without a last axis of its own, one column."""
    found = np.asarray(values)
    rows = found.reshape(-1, found.shape[-1] if found.ndim > 1 else 1)
    every = max(-(-rows.size // _MOST), 1)
    return rows[::every].astype(np.float64)


def _kind(right: NDArray[np.float64]) -> str:
    several = right.shape[1] > 1
    if right.min() >= 0.0 and right.max() <= 1.0:
        one = several and bool(np.abs(right.sum(1) - 1.0).max() <= _SUM)
        return "distribution" if one else "probabilities"
    spread = right.std(0)
    alike = several and spread.min() > _ONE_SCALE * spread.max()
    if alike and not _unit(right) and len(np.unique(right.argmax(1))) > 1:
        return "classes"
    return "values"


def _unit(right: NDArray[np.float64]) -> bool:
    """Tell whether all rows have the same length, as embeddings that are compared by angle."""
    lengths = np.linalg.norm(right, axis=1)
    return bool(np.ptp(lengths) <= _SAME_LENGTH * lengths.max())


def _mostly_constant(right: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which columns are one number in most rows: sorted, they stand in a run."""
    ordered = np.sort(right, 0)
    length = int(np.ceil(_MOSTLY * len(right)))
    same: NDArray[np.bool_] = (ordered[: len(right) - length + 1] == ordered[length - 1 :]).any(0)
    return same


def _entry(
    index: int,
    kept: float,
    right: NDArray[np.float64],
    came: NDArray[np.float64],
    limits: Limits | None,
) -> Entry:
    saturated = 0.0
    if limits is not None:
        half = limits.step / 2
        above = (came >= limits.high - half) & (right > limits.high + limits.step)
        below = (came <= limits.low + half) & (right < limits.low - limits.step)
        saturated = float(np.mean(above | below))
    distinct, of_keras = len(np.unique(came)), len(np.unique(right))
    return Entry(index, kept, distinct, of_keras, saturated, float(right.std()))
