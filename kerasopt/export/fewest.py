"""The fewest layers that have to stay in float: a search that asks for as few files as it can."""

from collections.abc import Callable, Sequence


def fewest(
    ranked: Sequence[str], is_enough: Callable[[tuple[str, ...]], bool]
) -> tuple[str, ...] | None:
    """Find a small set of layers that is enough, none of which can be left out.

    First the shortest beginning of the ranking that is enough, by bisection, as more layers in
    float are rarely worse; then each of its layers, the least sensitive first, is tried without.

    Args:
        ranked: Layers, the most sensitive first.
        is_enough: Tells of some layers, in the order of `ranked`, whether it is enough that they
            stay in float.

    Returns:
        Such layers, or `None` if even all of them are not enough.

    Example:
    >>> fewest(["a", "b", "c", "d"], lambda kept: {"a", "c"} <= set(kept))
    ('a', 'c')
    >>> fewest(["a", "b"], lambda kept: True), fewest(["a", "b"], lambda kept: False)
    ((), None)
    """
    known: dict[tuple[str, ...], bool] = {}

    def enough(kept: tuple[str, ...]) -> bool:
        if kept not in known:
            known[kept] = is_enough(kept)
        return known[kept]

    if enough(()):
        return ()
    if not enough(tuple(ranked)):
        return None
    short, long = 0, len(ranked)
    while long - short > 1:
        middle = (short + long) // 2
        if enough(tuple(ranked[:middle])):
            long = middle
        else:
            short = middle
    found = list(ranked[:long])
    for layer in reversed(ranked[:long]):
        without = tuple(one for one in found if one != layer)
        if enough(without):
            found = list(without)
    return tuple(found)
