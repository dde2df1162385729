"""When to stop a trial's training."""

from collections.abc import Sequence
from typing import Any

from kerasopt._core.checks import at_least, flag, positive
from kerasopt.callbacks import EarlyStopping
from kerasopt.stopping import GeneralizationLoss, NonFinite, Patience, Rule, UpStrips
from kerasopt.tuning.space.registration import (
    NONE,
    checked_prefix,
    checked_range,
    checked_words,
    pick,
    real,
    whole,
)

RULES = (NONE, "patience", "up_strips", "generalization_loss")


def stopping(
    hp: Any,
    prefix: str = "stopping",
    rules: Sequence[str] = ("patience",),
    monitor: str = "val_loss",
    mode: str = "auto",
    min_patience: int = 3,
    max_patience: int = 20,
    patience: int | None = None,
    min_strips: int = 2,
    max_strips: int = 4,
    min_alpha: float = 1.0,
    max_alpha: float = 20.0,
    restore_best_weights: bool = True,
) -> list[Any]:
    """Search for a stopping rule, and give it as a list of callbacks.

    | hyperparameter | values | active |
    |---|---|---|
    | `stopping/rule` | `rules` | always |
    | `stopping/patience` | `min_patience` to `max_patience`, log scale | rule `"patience"` |
    | `stopping/strips` | `min_strips` to `max_strips`, log scale | rule `"up_strips"` |
    | `stopping/alpha` | `min_alpha` to `max_alpha`, log scale | rule `"generalization_loss"` |

    Every rule also stops at a NaN or an infinity. Epochs in which a `Pruning` of the same `fit` has
    not reached its end are not compared. A search by accuracy alone finds that patience is good:
    fix it, unless time is an objective or a constraint.

    Args:
        hp: A `keras_tuner.HyperParameters`.
        prefix: What the names begin with. Defaults to `"stopping"`.
        rules: Of `"none"`, `"patience"`, `"up_strips"` and `"generalization_loss"` those that are
            searched. Defaults to `("patience",)`.
        monitor: Name of the metric. Defaults to `"val_loss"`.
        mode: `"min"`, `"max"` or `"auto"`. Defaults to `"auto"`.
        min_patience: Int >= 1, in epochs. Defaults to `3`.
        max_patience: The most; equal to `min_patience` it is fixed. Defaults to `20`.
        patience: One fixed patience in place of the range. Defaults to `None`.
        min_strips: Int >= 1, the fewest strips (of five epochs) of `UpStrips`. Defaults to `2`.
        max_strips: The most. Defaults to `4`.
        min_alpha: Float > 0, the least of `GeneralizationLoss`, in percent. Defaults to `1.0`.
        max_alpha: The most. Defaults to `20.0`.
        restore_best_weights: Whether the model gets the weights of its best epoch. Defaults to
            `True`.

    Returns:
        List of one `kerasopt.callbacks.EarlyStopping`; empty for the rule `"none"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a rule is not known, a number is too small, or a range is empty.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> [stopper] = stopping(hp, max_patience=10)
    >>> stopper.monitor, hp.values
    ('val_loss', {'stopping/rule': 'patience', 'stopping/patience': 3})
    """
    name = checked_prefix(prefix)
    found = checked_words("rules", rules, RULES)
    patiences = checked_range("patience", min_patience, max_patience, _count)
    if patience is not None:
        patiences = (_count("patience", patience),) * 2
    strips = checked_range("strips", min_strips, max_strips, _count)
    alphas = checked_range("alpha", min_alpha, max_alpha, positive)
    flag("restore_best_weights", restore_best_weights)
    Patience(1, monitor=monitor, mode=mode)  # checks both
    chosen = pick(hp, f"{name}/rule", found)
    rule: Rule | None = None
    for one in found:
        if one == NONE:
            continue
        with hp.conditional_scope(f"{name}/rule", [one]):
            if one == "patience":
                value = whole(hp, f"{name}/patience", *patiences)
            elif one == "up_strips":
                value = whole(hp, f"{name}/strips", *strips)
            else:
                value = real(hp, f"{name}/alpha", *alphas, log=True)
        if one == chosen:
            rule = _rule(one, value, monitor, mode)
    if rule is None:
        return []
    keep = restore_best_weights
    return [EarlyStopping(monitor, mode=mode, rules=rule | NonFinite(), restore_best_weights=keep)]


def _rule(name: str, value: Any, monitor: str, mode: str) -> Rule:
    if name == "patience":
        return Patience(value, monitor=monitor, mode=mode)
    if name == "up_strips":
        return UpStrips(value, monitor=monitor, mode=mode)
    return GeneralizationLoss(value, monitor=monitor, mode=mode)


def _count(argument: str, value: Any) -> int:
    return at_least(argument, value, 1)
