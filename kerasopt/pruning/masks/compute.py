"""The pure heart of pruning: weights and a sparsity in, masks of 0 and 1 out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt._core.checks import bad_type, bad_value, fraction
from kerasopt.pruning.criteria import Context
from kerasopt.pruning.criteria import get as get_criterion
from kerasopt.pruning.masks.top_k import keep_largest
from kerasopt.pruning.masks.weight_scores import as_weights, scored
from kerasopt.pruning.patterns import Pattern
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.scopes import Kernel
from kerasopt.pruning.scopes import get as get_scope


def mask(
    weights: ArrayLike,
    sparsity: float,
    *,
    criterion: Any = "magnitude",
    pattern: Any = "weight",
    **context: Any,
) -> NDArray[np.bool_]:
    """Choose which weights of one array stay.

    The number of units that stays is `max(round(n * (1 - sparsity)), 1)`, rounded half to even,
    exactly: among units of equal score at the border the first ones stay.

    Args:
        weights: Array of any shape.
        sparsity: Float in [0, 1), the share of weights (or blocks, or channels) to zero.
        criterion: Which ones go: a criterion of `kerasopt.pruning`, its name, or a function of the
            weights. Defaults to `"magnitude"`.
        pattern: In what shape weights go: a pattern of `kerasopt.pruning`, or a name such as
            `"weight"`, `"2:4"`, `"block_4x4"`, `"channel"`. Defaults to `"weight"`.
        **context: What the criterion needs beside: `gradient`, `gradient_magnitude`, `input_norm`,
            `moved`; see `kerasopt.pruning.Context`.

    Returns:
        Boolean array of the same shape, `True` where a weight stays.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `sparsity` is outside [0, 1) or more than the pattern can express, a weight
            is NaN or infinite, a name is not known, or the criterion lacks what it needs.

    Example:
    >>> mask(np.arange(1.0, 11.0), 0.2).astype(int)
    array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    >>> weights = [[0.74, 0.68], [-0.89, -0.45], [-1.68, 1.24], [0.31, -0.6]]
    >>> mask(weights, 0.5, pattern="2:4").astype(int)
    array([[0, 1],
           [1, 0],
           [1, 1],
           [0, 0]])
    """
    contexts = {"weights": _context(context)}
    return masks(
        {"weights": weights},
        sparsity,
        scope="layer",
        pattern=pattern,
        criterion=criterion,
        contexts=contexts,
    )["weights"]


def masks(
    weights: Mapping[str, ArrayLike],
    sparsity: float,
    *,
    criterion: Any = "magnitude",
    pattern: Any = "weight",
    scope: Any = "layer",
    contexts: Mapping[str, Context] | None = None,
    share: float = 1.0,
) -> dict[str, NDArray[np.bool_]]:
    """Choose which weights of several arrays stay.

    Args:
        weights: Dict of name -> array of any shape.
        sparsity: Float in [0, 1).
        criterion: As in `mask`. Defaults to `"magnitude"`.
        pattern: As in `mask`; a dict of name -> pattern does as well. Defaults to `"weight"`.
        scope: How the arrays share it: `"layer"` (each has it), `"global"` (all together have it,
            exact to one weight), `"erk"` (small ones stay denser), a dict of name -> sparsity, or a
            scope of `kerasopt.pruning`. Defaults to `"layer"`.
        contexts: Dict of name -> what the criterion may know beside. Defaults to `None`: nothing.
        share: Float in [0, 1], how much of its way a schedule has done; scopes with sparsities of
            their own follow it. Defaults to `1.0`.

    Returns:
        Dict of name -> Boolean array of the same shape, `True` where a weight stays.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: As in `mask`, naming the array.

    Example:
    >>> chosen = masks({"a": [1.0, 2.0], "b": [3.0, 4.0]}, 0.5, scope="global")
    >>> {name: kept.tolist() for name, kept in chosen.items()}
    {'a': [False, True], 'b': [False, True]}
    """
    return dict(one_by_one(weights, sparsity, scope, pattern, criterion, contexts, share))


def one_by_one(
    weights: Mapping[str, ArrayLike],
    sparsity: float,
    scope: Any = "layer",
    pattern: Any = "weight",
    criterion: Any = "magnitude",
    contexts: Mapping[str, Context] | None = None,
    share: float = 1.0,
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Choose as `masks` does, and give each name with its mask, of which only one need be kept."""
    sparsity = fraction("sparsity", sparsity)
    if not isinstance(weights, Mapping):
        raise bad_type("weights", "a dict of name -> array", weights)
    criterion, scope = get_criterion(criterion), get_scope(scope)
    patterns = _patterns(pattern, weights)
    kernels = []
    for number, (name, array) in enumerate(weights.items(), 1):
        shape = patterns[name]
        context = replace((contexts or {}).get(name) or Context(), name=name, grouped=shape.groups)
        kernels.append(_kernel(name, scored(as_weights(array, name), criterion, context), shape))
        if number < len(weights) and scope.together:
            continue
        kept = scope.allocate(kernels, sparsity, share)
        for kernel, count in zip(kernels, kept, strict=True):
            yield (
                kernel.name,
                patterns[kernel.name].expand(choose(kernel, count), kernel.shape),
            )
        kernels.clear()  # the scores of one kernel at a time, where these do not compete
    if not weights:
        scope.allocate([], sparsity, share)  # may miss a kernel that it names


def choose(kernel: Kernel, kept: int) -> NDArray[np.bool_]:
    """Mark the `kept` best units of a kernel, those that must stay among them."""
    return keep_largest(kernel.scores, kept, kernel.candidates)


def _patterns(pattern: Any, names: Iterable[str]) -> dict[str, Pattern]:
    if not isinstance(pattern, Mapping):
        return dict.fromkeys(names, get_pattern(pattern))
    for name in names:
        if name not in pattern:
            raise bad_value("pattern", "a pattern for every array", dict(pattern), f"Add {name!r}.")
    return {name: get_pattern(pattern[name]) for name in names}


def _kernel(name: str, scores: NDArray[Any], pattern: Pattern) -> Kernel:
    units = pattern.units(scores)
    return Kernel(
        name,
        scores.shape,
        units,
        pattern.sizes(scores.shape),
        pattern.candidates(units),
        pattern.highest(scores.shape),
    )


def _context(arguments: Mapping[str, Any]) -> Context:
    known = [name for name in Context.__dataclass_fields__ if name not in ("name", "grouped")]
    for name in arguments:
        if name not in known:
            raise bad_value("context", f"arguments among {known}", name)
    return Context(**arguments)
