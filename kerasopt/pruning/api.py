"""Pruning a model at once, without a callback."""

from typing import Any

from kerasopt import _keras
from kerasopt._core.checks import at_least, fraction, warn
from kerasopt.pruning.criteria import ZerosLast
from kerasopt.pruning.criteria import get as get_criterion
from kerasopt.pruning.enforcement.held_masks import Masks
from kerasopt.pruning.enforcement.reminder import remind
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.prunable import select_prunable
from kerasopt.pruning.pruning_arguments import chosen_scope
from kerasopt.pruning.report.sparsity import Sparsity, table_of
from kerasopt.pruning.statistics.collector import Collector


def prune(
    model: Any,
    sparsity: float,
    *,
    criterion: Any = "magnitude",
    pattern: Any = "weight",
    scope: Any = "auto",
    data: Any = None,
    batches: int = 4,
    include: Any = None,
    exclude: Any = None,
) -> Sparsity:
    """Zero weights of a model at once, in place.

    Nothing holds the zeros afterwards: a further `fit` that shall keep them needs a
    `callbacks.Pruning("keep")`.

    Args:
        model: A built Keras model of any style; compiled, where the criterion needs gradients.
        sparsity: Float in [0, 1), the share of weights (or blocks, or channels) to zero.
        criterion: Which ones go: `"magnitude"`, `"lamp"`, `"random"`, and, with `data`, `"taylor"`,
            `"snip"`, `"wanda"`; a criterion of `kerasopt.pruning`, or a function of the weights.
            Defaults to `"magnitude"`.
        pattern: In what shape: `"weight"`, `"2:4"`, `"block_4x4"`, `"channel"`, or a pattern of
            `kerasopt.pruning`. Defaults to `"weight"`.
        scope: How layers share it: `"layer"`, `"global"`, `"erk"`, `"dense_ends"`, a dict of
            layer -> sparsity, or a scope of `kerasopt.pruning`; `"auto"` as in `Pruning`. Defaults
            to `"auto"`.
        data: `(x, y)` of arrays, or batches of that form: a `tf.data.Dataset`, a `PyDataset`, a
            list. For `"wanda"` x alone does, an array or a dict by input name. Defaults to `None`.
        batches: Integer >= 1, how many batches of 32 samples (or of yours) are used; each costs
            about a step of training. Defaults to `4`.
        include: Which layers, as in `kerasopt.selection.select`; `"*"` is all. Defaults to `None`:
            all kernels but depthwise ones.
        exclude: Which layers not, in the same forms. Defaults to `None`.

    Returns:
        The `Sparsity` that the selected layers have now: `total`, `rows`; it prints as a table.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong, the model is not built, nothing is selected, a weight is
            NaN, the criterion needs data and there are none, or the pattern cannot express the
            sparsity. Nothing has changed then.
        RuntimeError: If Keras does not run on TensorFlow.

    Example:
    >>> import keras
    >>> from kerasopt.pruning import prune
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="a")])
    >>> prune(model, 0.75).total
    0.75
    """
    _keras.require_tensorflow("kerasopt.pruning.prune")
    sparsity = fraction("sparsity", sparsity)
    criterion, pattern = get_criterion(criterion), get_pattern(pattern)
    scope = chosen_scope(scope, pattern, criterion, None)
    at_least("batches", batches, 1)
    chosen = select_prunable(model, include, exclude, "prune", scope)
    collector = Collector(model, chosen, criterion.needs, criterion, data, batches)
    contexts = collector.collect()
    # Put on no kernel: a `fit` that is running may hold masks of its own there.
    masks = Masks(model, chosen, lasting=False)
    masks.warn_of_edges(pattern, "prune")
    before = masks.sparsity()
    masks.choose(sparsity, scope, pattern, ZerosLast(criterion), contexts=contexts)
    found = table_of(chosen)
    if before > max(sparsity, 0.0) + 0.01 and found.total <= before:
        warn(
            f"prune: the kernels had {before:.1%} zeros already, more than sparsity={sparsity:.3g} "
            "asks for, and what is zero stays so: nothing was changed. Prune a copy from before."
        )
    remind(model, "prune", [target.variable for target in chosen], found.total)
    return found
