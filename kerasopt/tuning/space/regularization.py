"""Which weight penalty, and how strong."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasopt._core.checks import positive
from kerasopt.tuning.space.registration import (
    NONE,
    checked_prefix,
    checked_range,
    checked_words,
    pick,
    real,
)

KINDS = (NONE, "l1", "l2", "l1_l2")


def regularization(
    hp: Any,
    prefix: str = "regularization",
    kinds: Sequence[str] = (NONE, "l1", "l2"),
    min_l1: float = 1e-7,
    max_l1: float = 1e-4,
    min_l2: float = 1e-6,
    max_l2: float = 1e-2,
) -> Any:
    """Search for a weight penalty, and give it as a regularizer of Keras.

    | hyperparameter | values | active |
    |---|---|---|
    | `regularization/kind` | `kinds` | always |
    | `regularization/l1` | `min_l1` to `max_l1`, log scale | kind `"l1"` or `"l1_l2"` |
    | `regularization/l2` | `min_l2` to `max_l2`, log scale | kind `"l2"` or `"l1_l2"` |

    The regularizer goes into a layer (`kernel_regularizer=`) or, by
    `kerasopt.regularization.add_penalty`, into a model that exists.

    Args:
        hp: A `keras_tuner.HyperParameters`.
        prefix: What the names begin with. Defaults to `"regularization"`.
        kinds: Of `"none"`, `"l1"`, `"l2"` and `"l1_l2"` those that are searched. Defaults to the
            first three.
        min_l1: Float > 0, the smallest L1 factor. Defaults to `1e-7`.
        max_l1: The largest; equal to `min_l1` it is fixed. Defaults to `1e-4`.
        min_l2: Float > 0, the smallest L2 factor. Defaults to `1e-6`.
        max_l2: The largest; equal to `min_l2` it is fixed. Defaults to `1e-2`.

    Returns:
        A `keras.regularizers.L1`, `L2` or `L1L2`; `None` for kind `"none"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a kind is not known, a factor is not positive, or a range is empty.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> regularization(hp, kinds=["l2"], max_l2=1e-3).get_config()
    {'l2': 1e-06}
    >>> hp.values
    {'regularization/kind': 'l2', 'regularization/l2': 1e-06}
    """
    name = checked_prefix(prefix)
    found = checked_words("kinds", kinds, KINDS)
    ranges = {
        "l1": checked_range("l1", min_l1, max_l1, positive),
        "l2": checked_range("l2", min_l2, max_l2, positive),
    }
    kind = pick(hp, f"{name}/kind", found)
    factors = {}
    for norm, (low, high) in ranges.items():
        having = [one for one in found if norm in one.split("_")]
        if having:
            with hp.conditional_scope(f"{name}/kind", having):
                factor = real(hp, f"{name}/{norm}", low, high, log=True)
            if kind in having:
                factors[norm] = factor
    if kind == NONE:
        return None
    if kind == "l1_l2":
        return keras.regularizers.L1L2(**factors)
    cls = keras.regularizers.L1 if kind == "l1" else keras.regularizers.L2
    return cls(factors[kind])
