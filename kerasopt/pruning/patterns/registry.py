"""Patterns by name."""

import re
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt.pruning.patterns.block import Block
from kerasopt.pruning.patterns.channel import Channel
from kerasopt.pruning.patterns.n_of_m import NM
from kerasopt.pruning.patterns.pattern import Pattern
from kerasopt.pruning.patterns.weight import Weight

PATTERNS: dict[str, type[Any]] = {kind.__name__: kind for kind in (NM, Block, Channel, Weight)}
_FORMS = ["weight", "channel", "2:4", "block_4x4"]


def as_pattern(value: Any) -> Pattern:
    """Give the pattern that `value` is or names.

    Args:
        value: A `Pattern`, or `"weight"`, `"channel"`, `"2:4"` for `NM(2, 4)`, `"block_4x1"` for
            `Block(4, 1)`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.

    Example:
    >>> as_pattern("2:4"), as_pattern("block_4x1")
    (NM(n=2, m=4), Block(h=4, w=1, pooling='mean'))
    """
    if isinstance(value, Pattern):
        return value
    expected = f"a pattern, or a name such as {_FORMS}"
    if not isinstance(value, str):
        raise bad_type("pattern", expected, value)
    name = value.strip().lower()
    if name in ("weight", "weights"):
        return Weight()
    if name in ("channel", "channels"):
        return Channel()
    numbers = re.fullmatch(r"(\d+):(\d+)", name)
    if numbers:
        return NM(int(numbers[1]), int(numbers[2]))
    numbers = re.fullmatch(r"block[_ ]?(\d+)x(\d+)", name)
    if numbers:
        return Block(int(numbers[1]), int(numbers[2]))
    raise bad_value("pattern", expected, value, did_you_mean(name, _FORMS))
