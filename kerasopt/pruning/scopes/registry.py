"""Scopes by name, and as plain data."""

from collections.abc import Mapping
from typing import Any

from kerasopt._core.registry import Registry, is_serialized
from kerasopt.pruning.scopes.dense_ends import DenseEnds
from kerasopt.pruning.scopes.erk import Erk
from kerasopt.pruning.scopes.everywhere import Global
from kerasopt.pruning.scopes.named import Named
from kerasopt.pruning.scopes.per_layer import PerLayer
from kerasopt.pruning.scopes.scope import Scope

SCOPES: Registry[Scope] = Registry(
    "scope",
    Scope,
    [Named],
    {"dense_ends": DenseEnds, "erk": Erk, "global": Global, "layer": PerLayer},
    also="a dict of layer -> sparsity",
)
serialize = SCOPES.serialize
deserialize = SCOPES.deserialize


def get(value: Any, custom_objects: Mapping[str, type[Scope]] | None = None) -> Scope:
    """Give the scope that `value` is or names.

    Args:
        value: A `Scope`, a name of one, a dict of layer -> sparsity, or what `serialize` gave.
        custom_objects: Scopes of your own, by name. Defaults to `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.

    Example:
    >>> get("erk"), get({"top": 0.5})
    (Erk(), Named(sparsities={'top': 0.5}))
    """
    if isinstance(value, Mapping) and not is_serialized(value):
        return Named(value)
    return SCOPES.get(value, custom_objects)
