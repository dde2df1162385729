"""Patterns by name."""

import re
from collections.abc import Mapping
from typing import Any

from kerasopt._core.registry import Registry
from kerasopt.pruning.patterns.block import Block
from kerasopt.pruning.patterns.channel import Channel
from kerasopt.pruning.patterns.n_of_m import NM
from kerasopt.pruning.patterns.pattern import Pattern
from kerasopt.pruning.patterns.weight import Weight

_PLURALS = {"weights": "weight", "channels": "channel"}

PATTERNS: Registry[Pattern] = Registry(
    "pattern",
    Pattern,
    [NM, Block],
    {"weight": Weight, "channel": Channel},
    forms=("2:4", "block_4x4"),
)
serialize = PATTERNS.serialize
deserialize = PATTERNS.deserialize


def get(value: Any, custom_objects: Mapping[str, type[Pattern]] | None = None) -> Pattern:
    """Give the pattern that `value` is or names.

    Args:
        value: A `Pattern`, or `"weight"`, `"channel"`, `"2:4"` for `NM(2, 4)`, `"block_4x1"` for
            `Block(4, 1)`, or what `serialize` gave.
        custom_objects: Patterns of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.

    Example:
    >>> get("2:4"), get("block_4x1")
    (NM(n=2, m=4), Block(h=4, w=1, pooling='mean'))
    """
    if not isinstance(value, str):
        return PATTERNS.get(value, custom_objects)
    name = value.strip().lower()
    numbers = re.fullmatch(r"(\d+):(\d+)", name)
    if numbers:
        return NM(int(numbers[1]), int(numbers[2]))
    numbers = re.fullmatch(r"block[_ ]?(\d+)x(\d+)", name)
    if numbers:
        return Block(int(numbers[1]), int(numbers[2]))
    return PATTERNS.get(_PLURALS.get(name, value), custom_objects)
