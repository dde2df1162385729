"""Structured pruning in rounds, each trained before the next."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kerasopt._core.checks import at_least, bad_type, bad_value, did_you_mean
from kerasopt.profile.api import count
from kerasopt.profile.cost import Cost
from kerasopt.structured.api import shrink
from kerasopt.structured.budget.request import METRICS, requested


@dataclass(frozen=True)
class ShrinkRound:
    """One round of `iterative_shrink`.

    Attributes:
        cost: What the model costs after it.
        result: What the user's function returned for it, such as a history.
    """

    cost: Cost
    result: Any


def iterative_shrink(
    model: Any,
    fit_fn: Callable[[Any], Any],
    *,
    budget: Any,
    rounds: int = 4,
    **how: Any,
) -> tuple[Any, list[ShrinkRound]]:
    """Shrink a little, train, and again, until the model keeps a budget.

    In each of `n` rounds the same share of what is left goes: after round `i` what stays is
    `budget ** (i / n)` of the whole.

    Args:
        model: A built, trained model. It never changes.
        fit_fn: Function `fit_fn(model)` that compiles the model, if it is not yet, and trains it in
            place; what it returns is kept.
        budget: As in `shrink`: `{"macs": 0.5}`, or a float, of the MACs; integers are limits.
        rounds: Integer >= 1. Defaults to `4`.
        **how: Further arguments of `shrink`: `importance`, `scope`, `data`, `round_to`, ...

    Returns:
        The model after the last training, and a `ShrinkRound` for each round.

    Raises:
        TypeError: If `fit_fn` cannot be called.
        ValueError: If an argument of `shrink` is wrong.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([
    ...     keras.Input((4,)), keras.layers.Dense(64, name="hidden"), keras.layers.Dense(1),
    ... ])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((32, 4)), np.ones((32, 1))
    >>> small, done = iterative_shrink(
    ...     model, lambda one: one.fit(x, y, verbose=0), budget={"macs": 0.25}, rounds=2)
    >>> small.get_layer("hidden").units, [one.cost.macs for one in done]
    (16, [160, 80])
    """
    if not callable(fit_fn):
        raise bad_type("fit_fn", "a function `fit_fn(model)` that trains it", fit_fn)
    at_least("rounds", rounds, 1)
    goal = requested(None, budget).budget or {}
    known = set(inspect.signature(shrink).parameters) - {"model", "pruning_ratio", "budget"}
    for name in how:
        if name not in known:
            advice = did_you_mean(name, known)
            raise bad_value("how", f"arguments of `shrink`: {sorted(known)}", name, advice)
    whole = count(model)
    done: list[ShrinkRound] = []
    for number in range(1, rounds + 1):
        now = count(model)
        model = shrink(model, budget=_left(goal, number / rounds, whole, now), **how)
        result = fit_fn(model)
        cost = count(model)
        done.append(
            ShrinkRound(
                Cost(cost.parameters, cost.macs, cost.peak_bytes, cost.weight_bytes), result
            )
        )
    return model, done


def _left(goal: Mapping[str, float | int], done: float, whole: Cost, now: Cost) -> dict[str, float]:
    """Give what is to stay of the model as it is now, after a share of all steps."""
    names = {attribute: name for name, attribute in METRICS.items()}
    return {
        names[key]: min(1.0, _part(most, getattr(whole, key)) ** done * getattr(whole, key)
                        / max(getattr(now, key), 1))
        for key, most in goal.items()
    }  # fmt: skip


def _part(most: float | int, whole: int) -> float:
    """Give what stays at most as a fraction of the original."""
    return min(1.0, most / max(whole, 1)) if isinstance(most, int) else most
