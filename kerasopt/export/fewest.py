"""The fewest layers that have to stay in float: a search that asks for as few files as it can."""

from collections.abc import Callable, Sequence


def fewest(
    layers: Sequence[str],
    rank: Callable[[], Sequence[str]],
    is_enough: Callable[[tuple[str, ...]], bool],
) -> tuple[str, ...] | None:
    """Find a small set of layers that is enough, none of which can be left out.

    First the shortest beginning of the ranking that is enough, by bisection, as more layers in
    float are rarely worse; then each of its layers, the least sensitive first, is tried without.

    Args:
        layers: All that there are.
        rank: Gives them, the most sensitive first; asked only if some are needed and all enough.
        is_enough: Tells of some layers whether it is enough that they stay in float.

    Returns:
        Such layers, in the order of the ranking, or `None` if even all are not enough.

    Example:
    >>> fewest("abcd", lambda: "cabd", lambda kept: {"a", "c"} <= set(kept))
    ('c', 'a')
    >>> fewest("ab", lambda: "ab", lambda kept: True)
    ()
    >>> fewest("ab", lambda: "ab", lambda kept: False) is None
    True
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
    ranked = rank()
    short, long = 0, len(ranked)
    while long - short > 1:
        middle = (short + long) // 2
        if enough(ranked[:middle]):
            long = middle
        else:
            short = middle
    found = list(ranked[:long])
    for layer in reversed(ranked[:long]):
        without = [one for one in found if one != layer]
        if enough(without):
            found = without
    return tuple(found)
