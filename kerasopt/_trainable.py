"""Which kernels can be pruned: those that training can still adapt."""

import warnings
from typing import Any

from kerasopt._checks import bad_value
from kerasopt.selection import Selection, select


def select_trainable(model: Any, include: Any, exclude: Any) -> Selection:
    """Select kernels as `kerasopt.selection.select` does, and leave out those of frozen layers.

    A frozen kernel could not recover from losing its small weights.

    Args:
        model: A built Keras model.
        include: Which layers.
        exclude: Which layers not.

    Raises:
        ValueError: If nothing is left.

    Warns:
        UserWarning: Naming the frozen layers.
    """
    chosen = select(model, include, exclude)
    trained = {id(variable) for variable in model.trainable_variables}
    kept = Selection([one for one in chosen if id(one.variable) in trained], chosen.left_out)
    frozen = list(dict.fromkeys(one.name for one in chosen if id(one.variable) not in trained))
    kept.left_out.update(dict.fromkeys(frozen, "frozen"))
    if not kept:
        raise bad_value(
            "model", "a kernel that trains", model, f"All that are selected are frozen: {frozen}."
        )
    if frozen:
        warnings.warn(
            f"Pruning leaves out frozen layers: {', '.join(map(repr, frozen))}. Set "
            "`layer.trainable = True` and compile again to prune them.",
            stacklevel=2,
        )
    return kept
