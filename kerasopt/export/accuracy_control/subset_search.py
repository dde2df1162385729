"""The layers that have to stay in float: a search that asks for as few files as it can."""

from collections.abc import Callable, Sequence
from itertools import combinations

Kept = tuple[str, ...]


def fewest(
    layers: Sequence[str],
    rank: Callable[[], Sequence[str]],
    is_enough: Callable[[Kept], bool],
    cost: Callable[[Kept], float] = len,
    most: int = 60,
) -> Kept | None:
    """Find the cheapest set of layers that is enough, of those that are tried.

    First the shortest beginning of the ranking that is enough, by bisection, as more layers in
    float are rarely worse. Accuracy does not always rise with them, so then layers are put back,
    the dearest first, one by one until none can be, then two at a time, then one in exchange for a
    cheaper one that is quantized. Every success begins this again, until nothing helps or `most`
    sets were tried.

    Args:
        layers: All that there are.
        rank: Gives them, the most sensitive first; asked only if some are needed and all enough.
        is_enough: Tells of some layers whether it is enough that they stay in float.
        cost: What it costs that some layers stay in float, such as the bytes of the file. Defaults
            to their number.
        most: Most sets that are tried. Defaults to `60`.

    Returns:
        Such layers, in the order of the ranking, or `None` if even all are not enough.

    Example:
    >>> fewest("abcd", lambda: "cabd", lambda kept: {"a", "c"} <= set(kept))
    ('c', 'a')
    >>> fewest("ab", lambda: "ab", lambda kept: True)
    ()
    >>> fewest("ab", lambda: "ab", lambda kept: False) is None
    True
    >>> weights = {"a": 900, "b": 10, "c": 10}  # either `a` or both others are needed
    >>> fewest("abc", lambda: "abc", lambda kept: "a" in kept or {"b", "c"} <= set(kept),
    ...        lambda kept: sum(weights[one] for one in kept))
    ('b', 'c')
    """
    known: dict[frozenset[str], bool] = {}

    def enough(kept: Sequence[str]) -> bool:
        key = frozenset(kept)
        if key not in known:
            known[key] = is_enough(tuple(kept))
        return known[key]

    if enough(()):
        return ()
    if not enough(layers):
        return None
    ranked = tuple(rank())
    short, long = 0, len(ranked)
    while long - short > 1:
        middle = (short + long) // 2
        if enough(ranked[:middle]):
            long = middle
        else:
            short = middle
    found: Kept = ranked[:long]
    while True:
        better = next(
            (
                one
                for one in _cheaper(found, ranked, cost)
                if frozenset(one) in known or len(known) < most
                if enough(one)
            ),
            None,
        )
        if better is None:
            return found
        found = better


def _cheaper(kept: Kept, ranked: Kept, cost: Callable[[Kept], float]) -> list[Kept]:
    """Give the sets beside one that cost less: of one layer less, of two less, and exchanges."""
    now = cost(kept)
    others = [one for one in ranked if one not in kept]

    def without(*gone: str, more: Kept = ()) -> Kept:
        left = {one for one in kept if one not in gone} | set(more)
        return tuple(one for one in ranked if one in left)

    # Of equal cost, the least sensitive first.
    singles = [without(one) for one in reversed(kept)]
    pairs = [without(*two) for two in combinations(reversed(kept), 2)]
    swaps = [without(one, more=(other,)) for one in reversed(kept) for other in others]
    splits = [
        without(one, more=two) for one in reversed(kept) for two in combinations(others[:6], 2)
    ]
    return [
        one
        for kind in (singles, pairs, swaps, splits)
        for one in sorted(kind, key=cost)
        if cost(one) < now
    ]
