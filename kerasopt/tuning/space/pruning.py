"""How sparse, in what shape, and along which schedule."""

from collections.abc import Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, fraction, meant_share, positive
from kerasopt.callbacks import Pruning
from kerasopt.pruning.criteria.registry import CRITERIA as KNOWN
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.pruning_arguments import check_expressible
from kerasopt.pruning.scopes import get as get_scope
from kerasopt.pruning.scopes.registry import SCOPES
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import check_picks
from kerasopt.tuning.space.registration import (
    NONE,
    checked_list,
    checked_prefix,
    checked_range,
    checked_words,
    pick,
    real,
)

CRITERIA = tuple(name for name, kind in KNOWN.named.items() if not kind.needs)
"""Criteria that look at nothing but the weights."""


def pruning(
    hp: Any,
    prefix: str = "pruning",
    patterns: Sequence[str] | None = None,
    min_sparsity: float = 0.5,
    max_sparsity: float = 0.9,
    final_sparsity: float | None = None,
    criteria: Sequence[str] = ("magnitude", "lamp"),
    scopes: Sequence[str] = ("global", "layer", "erk"),
    ends: Sequence[float] = (0.4, 0.6, 0.8),
    include: Any = None,
    exclude: Any = None,
) -> list[Any]:
    """Search for a gradual pruning, and give it as a list of callbacks.

    | hyperparameter | values | active |
    |---|---|---|
    | `pruning/pattern` | `patterns` | always |
    | `pruning/sparsity` | `min_sparsity` to `max_sparsity` | pattern not `"none"`, not N:M |
    | `pruning/scope` | `scopes` | pattern not `"none"`, not N:M |
    | `pruning/criterion` | `criteria` | pattern not `"none"`, not N:M |
    | `pruning/end` | `ends`, fractions of the run | pattern not `"none"` |

    Between `"magnitude"` and `"lamp"` alone the criterion is searched under the scope `"global"`
    only, as within one layer both rank the weights alike. N:M patterns such as `"2:4"` have their
    own sparsity, `1 - n / m`, in every layer, and the first criterion.

    Args:
        hp: A `keras_tuner.HyperParameters`.
        prefix: What the names begin with. Defaults to `"pruning"`.
        patterns: `"none"`, `"weight"`, `"channel"`, `"2:4"`, `"block_4x4"` and their like: those
            that are searched. Defaults to `None`: `"none"` and `"weight"`, or with a
            `final_sparsity` `"weight"` alone.
        min_sparsity: Float in [0, 1), the smallest final sparsity. Defaults to `0.5`.
        max_sparsity: The largest; equal to `min_sparsity` it is fixed. Defaults to `0.9`.
        final_sparsity: One fixed sparsity in place of the range; 0 is no pruning. Defaults to
            `None`.
        criteria: Names of criteria that need no data. Defaults to `("magnitude", "lamp")`.
        scopes: Names of scopes. Defaults to `("global", "layer", "erk")`.
        ends: Floats in (0, 1]: at which fraction of the run the final sparsity is reached. Defaults
            to `(0.4, 0.6, 0.8)`.
        include: Which layers, as in `Pruning`. Defaults to `None`: all kernels.
        exclude: Which layers not. Defaults to `None`.

    Returns:
        List of one `kerasopt.callbacks.Pruning`; empty for the pattern `"none"` or a sparsity of 0.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a name is not known, a criterion needs data, a sparsity or an end is out of
            range, or a range is empty.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> [callback] = pruning(hp, final_sparsity=0.8, scopes=["layer"], ends=[0.5])
    >>> callback.schedule
    PolynomialDecay(initial=0.0, final=0.8, begin=0, end=0.5, power=3.0)
    >>> hp.values["pruning/sparsity"], hp.values["pruning/scope"]
    (0.8, 'layer')
    """
    name = checked_prefix(prefix)
    least = min_sparsity, max_sparsity
    if final_sparsity is not None:
        least = (fraction("final_sparsity", final_sparsity),) * 2
    low, high = checked_range("sparsity", *least, fraction)
    usual = (NONE, "weight") if final_sparsity is None else ("weight",)
    found = checked_list("patterns", usual if patterns is None else patterns)
    ratios = {one: _ratio(one) for one in found if one != NONE}
    found_criteria = checked_words("criteria", criteria, CRITERIA)
    found_scopes = checked_words("scopes", scopes, SCOPES.named)
    found_ends = _checked_ends(ends)
    for argument, picks in (("include", include), ("exclude", exclude)):
        check_picks(argument, picks)
    if high == 0.0:
        found = [one for one in found if ratios.get(one) is not None or one == NONE] or [NONE]
    free = [one for one in found if one != NONE and ratios[one] is None]
    for one in free:
        for scope in found_scopes:
            check_expressible(PolynomialDecay(0.0, high), get_pattern(one), get_scope(scope))

    pattern = pick(hp, f"{name}/pattern", found)
    given: dict[str, Any] = {"criterion": found_criteria[0], "scope": "layer"}
    sparsity = ratios.get(pattern)
    if free:
        with hp.conditional_scope(f"{name}/pattern", free):
            asked = real(hp, f"{name}/sparsity", low, high)
            scope = pick(hp, f"{name}/scope", found_scopes)
            where = _where(found_criteria, found_scopes)
            criterion = None
            if where:
                with hp.conditional_scope(f"{name}/scope", where):
                    criterion = pick(hp, f"{name}/criterion", found_criteria)
        if pattern in free:
            sparsity = asked
            given = {"criterion": criterion or found_criteria[0], "scope": scope}
    active = [one for one in found if one != NONE]
    end: Any = None
    if active:
        with hp.conditional_scope(f"{name}/pattern", active):
            end = pick(hp, f"{name}/end", found_ends)
    if pattern not in active or not sparsity:
        return []
    schedule = PolynomialDecay(0.0, sparsity, begin=0, end=end)
    return [Pruning(schedule, include=include, exclude=exclude, pattern=pattern, **given)]


def _where(criteria: Sequence[str], scopes: Sequence[str]) -> list[str]:
    """Give the scopes under which it matters which of the criteria it is."""
    if set(criteria) == {"magnitude", "lamp"}:
        return [scope for scope in scopes if scope == "global"]
    return list(scopes)


def _ratio(pattern: str) -> float | None:
    """Give the sparsity that a pattern has of itself, or `None` if it may have any."""
    found = get_pattern(pattern)
    n, m = getattr(found, "n", None), getattr(found, "m", None)
    return None if n is None or m is None else 1.0 - float(n) / float(m)


def _checked_ends(ends: Any) -> list[float]:
    if isinstance(ends, (str, float, int)) or not isinstance(ends, Sequence):
        raise bad_type("ends", "a list of floats in (0, 1]", ends)
    found = [positive("ends", one) for one in ends]
    if not found or max(found) > 1.0 or len(set(found)) < len(found):
        advice = meant_share(max(found, default=None))
        raise bad_value("ends", "at least one float in (0, 1], each once", ends, advice)
    return found
