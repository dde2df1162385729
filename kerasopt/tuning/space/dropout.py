"""Which dropout, and how much."""

from collections.abc import Sequence
from typing import Any

from kerasopt._core.checks import fraction
from kerasopt.regularization.dropout.kinds import SUFFIXES
from kerasopt.tuning.space.registration import (
    NONE,
    checked_prefix,
    checked_range,
    checked_words,
    pick,
    real,
)

KINDS = (NONE, *SUFFIXES)


def dropout(
    hp: Any,
    prefix: str = "dropout",
    kinds: Sequence[str] | None = None,
    min_rate: float = 0.05,
    max_rate: float = 0.5,
    rate: float | None = None,
    after: Any = None,
) -> dict[str, Any] | None:
    """Search for a dropout, and give the arguments of `kerasopt.regularization.insert_dropout`.

    | hyperparameter | values | active |
    |---|---|---|
    | `dropout/kind` | `kinds` | always |
    | `dropout/rate` | `min_rate` to `max_rate`, or `rate` | any kind but `"none"` |

    Args:
        hp: A `keras_tuner.HyperParameters`.
        prefix: What the names begin with. Defaults to `"dropout"`.
        kinds: `"none"` and the kinds of `insert_dropout` that are searched, by name. Defaults to
            `None`: `"none"` and `"auto"`, or with a fixed `rate` `"auto"` alone.
        min_rate: Float in [0, 1), the smallest rate. Defaults to `0.05`.
        max_rate: The largest; equal to `min_rate` it is fixed. Defaults to `0.5`.
        rate: One fixed rate in place of the range; 0 is no dropout. Defaults to `None`.
        after: As in `insert_dropout`, passed on. Defaults to `None`: the usual places.

    Returns:
        Dict of `rate` and `kind`, and `after` if it was given; `None` if nothing is to be
        inserted: kind `"none"`, or a rate of 0.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a kind is not known, a rate is outside [0, 1), or a range is empty.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> dropout(hp) is None, hp.values
    (True, {'dropout/kind': 'none'})
    >>> dropout(keras_tuner.HyperParameters(), kinds=["auto"], rate=0.3)
    {'rate': 0.3, 'kind': 'auto'}
    """
    name = checked_prefix(prefix)
    if rate is None:
        low, high = checked_range("rate", min_rate, max_rate, fraction)
    else:
        low = high = fraction("rate", rate)
    usual = (NONE, "auto") if rate is None else ("auto",)
    found = checked_words("kinds", usual if kinds is None else kinds, KINDS)
    if high == 0.0:
        found = [NONE]
    kind = pick(hp, f"{name}/kind", found)
    having = [one for one in found if one != NONE]
    chosen = None
    if having:
        with hp.conditional_scope(f"{name}/kind", having):
            chosen = real(hp, f"{name}/rate", low, high)
    if kind not in having or not chosen:
        return None
    return {"rate": chosen, "kind": kind} | ({} if after is None else {"after": after})
