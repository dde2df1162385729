"""Scopes by name, and as plain data."""

from collections.abc import Mapping
from typing import Any

from kerasopt._core import serialization
from kerasopt._core.checks import bad_type, one_of
from kerasopt.pruning.scopes.dense_ends import DenseEnds
from kerasopt.pruning.scopes.erk import Erk
from kerasopt.pruning.scopes.everywhere import Global
from kerasopt.pruning.scopes.named import Named
from kerasopt.pruning.scopes.per_layer import PerLayer
from kerasopt.pruning.scopes.scope import Scope

NAMES: dict[str, type[Scope]] = {
    "dense_ends": DenseEnds,
    "erk": Erk,
    "global": Global,
    "layer": PerLayer,
}
SCOPES: dict[str, type[Scope]] = {kind.__name__: kind for kind in NAMES.values()}
SCOPES["Named"] = Named


def as_scope(value: Any) -> Scope:
    """Give the scope that `value` is or names.

    Args:
        value: A `Scope`, a name of one, or a dict of layer -> sparsity.

    Raises:
        TypeError: If it is something else.
        ValueError: If the name is not known.

    Example:
    >>> as_scope("erk"), as_scope({"top": 0.5})
    (Erk(), Named(sparsities={'top': 0.5}))
    """
    if isinstance(value, Scope):
        return value
    if isinstance(value, str):
        return NAMES[one_of("scope", value.lower(), NAMES)]()
    if isinstance(value, Mapping):
        return Named(value)
    raise bad_type("scope", f"a scope, one of {list(NAMES)}, or a dict of layer -> sparsity", value)


def serialize(scope: Scope) -> dict[str, Any]:
    """Give a scope as plain data."""
    return serialization.serialize(scope)


def deserialize(config: Mapping[str, Any]) -> Scope:
    """Make a scope from what `serialize` gave."""
    scope: Scope = serialization.deserialize(config, SCOPES)
    return scope
