"""How far a file's outputs are from the Keras model's, and how far is too far: numbers only."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kerasopt.export.options import MODES
from kerasopt.export.validation.fidelity import CLASSES, Fidelity, Limits, fidelity

_NOTHING = 1e-6


@dataclass(frozen=True)
class Agreement:
    """How one output of the file compares with the same output of the Keras model.

    Attributes:
        sqnr_db: Signal-to-quantization-noise ratio in dB; `inf` if there is no difference at all.
        largest_difference: Largest absolute difference.
        argmax: Share of positions whose largest entry along the last axis is the same one, or
            `None` if that axis has one entry only or the output is not a float.
        equal: Share of equal values for integer and Boolean outputs, `None` for floats.
        samples: Number of samples compared.
        fidelity: Of floats, what it keeps about its mean and entry by entry; else `None`.
    """

    sqnr_db: float
    largest_difference: float
    argmax: float | None
    equal: float | None
    samples: int
    fidelity: Fidelity | None = None

    @property
    def least_variance(self) -> float | None:
        """What the worst entry keeps of its variance; `None` where none counts."""
        worst = self.fidelity.worst if self.fidelity is not None else None
        return None if worst is None else worst.variance

    @property
    def same_class(self) -> float | None:
        """`argmax` of what looks like classes; of an embedding or boxes it says nothing: `None`."""
        found = self.fidelity
        return self.argmax if found is None or found.kind in CLASSES else None

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as plain JSON data; `None` for an infinite ratio."""
        figures = asdict(self)
        if self.fidelity is not None:
            # What each of many entries keeps would fill pages.
            shares = figures["fidelity"].pop("shares")
            figures["fidelity"]["entries"] = len(shares)
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in figures.items()
        }


def sqnr(reference: np.ndarray, actual: np.ndarray) -> float:
    r"""Give the signal-to-quantization-noise ratio in dB.

    10 log10( sum(reference^2) / sum((reference - actual)^2) ), over the finite entries of
    `reference`; where it is not finite, `actual` must be the same, or the ratio is `-inf`.

    Args:
        reference: What is right, any shape.
        actual: What came, of the same shape.

    Returns:
        The ratio; `inf` if there is no difference, `-inf` if there is one and no signal.

    Example:
    >>> round(sqnr(np.array([1.0, 1.0]), np.array([1.1, 0.9])), 3)
    20.0
    """
    right = np.asarray(reference, dtype=np.float64)
    came = np.asarray(actual, dtype=np.float64)
    finite = np.isfinite(right)
    if not np.array_equal(right[~finite], came[~finite], equal_nan=True):
        return -math.inf
    signal = float(np.sum(right[finite] ** 2))
    noise = float(np.sum((right[finite] - came[finite]) ** 2))
    if noise == 0.0:
        return math.inf
    if signal == 0.0 or not math.isfinite(noise):
        return -math.inf
    return 10.0 * (math.log10(signal) - math.log10(noise))


def compare(reference: np.ndarray, actual: np.ndarray, limits: Limits | None = None) -> Agreement:
    """Compare an output of the file with the Keras model's.

    Args:
        reference: The Keras model's output, shape `(samples, ...)`.
        actual: The file's, of the same shape.
        limits: What the file's output can hold. Defaults to `None`: not known, or a float.

    Returns:
        An `Agreement`.

    Example:
    >>> figures = compare(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([[0.2, 0.8], [0.4, 0.6]]))
    >>> round(figures.largest_difference, 3), figures.argmax, figures.samples
    (0.4, 0.5, 2)
    """
    right, came = np.asarray(reference), np.asarray(actual)
    whole = right.dtype.kind in "biu"
    with np.errstate(invalid="ignore"):
        apart = np.abs(right.astype(np.float64) - came.astype(np.float64))
    apart = apart[np.isfinite(right)] if not whole else apart
    largest = float(np.max(np.nan_to_num(apart, nan=np.inf))) if apart.size else 0.0
    several = right.ndim > 1 and right.shape[-1] > 1
    return Agreement(
        sqnr_db=sqnr(right, came),
        largest_difference=largest,
        argmax=None
        if whole or not several
        else float(np.mean(right.argmax(-1) == came.argmax(-1))),
        equal=float(np.mean(right == came)) if whole else None,
        samples=len(right),
        fidelity=None if whole or not right.size else fidelity(right, came, limits),
    )


def shortfall(mode: str, agreement: Agreement, least_db: float | None = None) -> str:
    """Say what an agreement falls short of, or nothing if it is good enough.

    Args:
        mode: The TFLite mode.
        agreement: Of one output.
        least_db: The lowest ratio that is good enough. Defaults to `None`: its mode's.

    Returns:
        Such as `"3.0 dB, expected at least 8 dB"`, or the empty string.

    Example:
    >>> shortfall("int8", compare(np.ones((1, 2)), np.zeros((1, 2))))
    '0.0 dB, expected at least 8 dB; largest difference 1'
    """
    if agreement.equal is not None:
        share = MODES[mode].equal
        if agreement.equal >= share:
            return ""
        return f"{agreement.equal:.0%} of the values equal, expected at least {share:.0%}"
    # A signal of nothing but zeros has no ratio; what differs by rounding alone is no damage.
    floor = MODES[mode].floor_db if least_db is None else least_db
    if agreement.sqnr_db >= floor or agreement.largest_difference <= _NOTHING:
        return ""
    return (
        f"{agreement.sqnr_db:.1f} dB, expected at least {floor:.0f} dB; "
        f"largest difference {agreement.largest_difference:.4g}"
    )
