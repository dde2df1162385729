"""Which kernels are pruned where the user names none."""

from typing import Any

from kerasopt._fit_steps import select_trainable
from kerasopt._layers import CONVOLUTIONS, DEPTHWISE
from kerasopt.pruning.scopes import Scope
from kerasopt.selection import Selection, Target

WHY = "depthwise; pruned where `include` or a dict as `scope` names it"


def is_depthwise(target: Target) -> bool:
    """Tell whether a kernel has one input channel for each of its outputs.

    So are those of DepthwiseConv, the first of SeparableConv, and that of a convolution with as
    many groups as input channels.
    """
    layer, variable = target.layer, target.variable
    if isinstance(layer, DEPTHWISE) or variable.name == "depthwise_kernel":
        return True
    grouped = isinstance(layer, CONVOLUTIONS) and layer.groups > 1
    return bool(grouped and variable.shape[-2] == 1)


def select_prunable(model: Any, include: Any, exclude: Any, who: str, scope: Scope) -> Selection:
    """Select the kernels that train; of depthwise ones only those that the user has named.

    A depthwise kernel has a few weights, each of which is all that its channel sees of a place:
    `benchmarks/results/pruning_defaults.md` tells what their loss costs. Where a model has no other
    kernels they are pruned.

    Args:
        model: A built Keras model.
        include: Which layers, as in `kerasopt.selection.select`.
        exclude: Which layers not.
        who: The public name of what selects, for warnings.
        scope: How they share the sparsity; a dict names layers too.

    Raises:
        ValueError: If nothing is left.
    """
    chosen = select_trainable(model, include, exclude, "kernels", who)
    rest = [one for one in chosen if not is_depthwise(one) or scope.names(one.path)]
    if include is not None or not rest or len(rest) == len(chosen):
        return chosen
    left_out = dict(chosen.left_out)
    taken = {target.name for target in rest}
    kept = {id(target.variable) for target in rest}
    for target in chosen:
        if id(target.variable) not in kept:
            left_out[target.path if target.name in taken else target.name] = WHY
    return Selection(rest, left_out)
